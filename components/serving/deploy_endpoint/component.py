from kfp import dsl
from seaway.kfp import component


@component
def deploy_endpoint(
    candidate: dsl.Input[dsl.Model],
    endpoint: dsl.Output[dsl.Artifact],
    links: dsl.Output[dsl.Markdown],
    name: str,
    batch_size: int = 32,
    max_batch_delay_ms: int = 1,
    workers: int = 1,
    threads: int = 1,
    port: int = 0,
    hosting: dict = {},  # noqa: B006
    backend: str = "auto",
    server: str = "auto",
    requests_per_s: int = 0,
    access_log: bool = False,
    stable: dsl.Input[dsl.Model] = None,
):
    """Serve two model packages behind one endpoint, all traffic on the stable one.

    A candidate of the same graph and weights as the stable package is not served a second time. On a cluster the
    endpoint outlives its runs: a stable package that serves already is left as it is.

    Args:
        candidate: Package to be rolled out.
        endpoint: `endpoint.json`: name, run, url, host, where the token is, arms.
        links: To the endpoint, with what it asks for.
        name: Endpoint's name, also the model's name in the Open Inference Protocol; a DNS label.
        batch_size: Waiting requests that are answered by one pass through the model, at most.
        max_batch_delay_ms: How long a request waits for others, in milliseconds.
        workers: Passes through the model at once, each by a copy of it.
        threads: Threads that a pass computes on.
        port: Port to listen on; 0 for any free one. On this machine only.
        hosting: Settings of the pods on a cluster, such as `{"replicas": 2, "cpu": "2", "memory": "4Gi", "gpus": 1,
            "autoscale": {"max_replicas": 8}}`; they win over those of the cluster.
        backend: What hosts: `process` here, `seldondeployment`, `inferenceservice` or `deployment` on a cluster; `auto`
            takes this place's.
        server: What answers in each pod or process, such as `kserve` or `torchserve`; `auto` takes SEAWAY_MODEL_SERVER,
            else the default.
        requests_per_s: Inference requests a second, at most, of the endpoint here or of each pod on a cluster; more are
            answered 429. 0 is any number.
        access_log: Whether path, status and time of each request are written down; never headers or content.
        stable: Package that answers until the candidate has proved itself; where there is none, the candidate answers.

    Raises:
        PackageRefused: a package is corrupted or not signed by this installation.
        PortTaken: the port is in use.
        EndpointFailed: a model did not answer its own sample in time; the pods' troubles are told.
        NameTaken: another run is rolling out a model on this endpoint.
    """
    from dataclasses import replace
    from pathlib import Path

    from seaway import models, platforms, serving
    from seaway.platforms.home import run_id
    from seaway.platforms.runs import evidence
    from seaway.reporting import call_section, keep, write_links
    from seaway.storage import read_json

    trained = Path(candidate.path)
    serves = Path(stable.path) if stable else trained
    spec = serving.EndpointSpec(
        name, run_id(), serves, None if models.same_model(serves, trained) else trained,
        batch_size=batch_size, max_batch_delay_ms=max_batch_delay_ms,
        workers=workers, threads=threads, port=port, hosting=hosting, server=server,
        requests_per_s=requests_per_s, access_log=access_log,
    )  # fmt: skip
    deployed = replace(platforms.current(serving.Endpoint, backend).deploy(spec), targets=spec.targets)
    deployed.write(Path(endpoint.path) / "endpoint.json")
    described = deployed.to_json()
    parts = {name: read_json(trained / f"{name}.json") for name in ("signature", "lineage")}
    keep(evidence(), "endpoint", {"endpoint": described, **parts})
    addresses = {f"Endpoint {name}": call_section.open_address(described)}
    write_links(Path(links.path), addresses, call_section.told(described))
    endpoint.metadata["url"], endpoint.metadata["live"] = deployed.url, True
    endpoint.metadata["summary"] = f"{len(deployed.arms)} model(s) at {deployed.url}"
