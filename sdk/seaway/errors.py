"""Every error class of Seaway, and why it exists.

A message is one paragraph: what was wrong, where, and what to do about it.
Callers tell errors apart by class, never by text.

A class's docstring is its page: what it says, then a paragraph `Why:` and one `What to do:`. `seaway explain` prints
it, docs/reference/errors.md is made of it, and tests see that what it names exists.
"""

from pathlib import Path


class SeawayError(Exception):
    """Base of all errors that Seaway raises on purpose; the command line shows its message without a traceback.

    Why: Who calls Seaway wants to tell its refusals from a fault of its code, by one class.

    What to do: Catch one of its kinds; `seaway explain` lists them. `SEAWAY_DEBUG=1` has the command line show the
    traceback all the same.
    """


class InvalidSpec(SeawayError, ValueError):
    """An argument or a spec field is out of range or names something unknown; nothing has been started.

    Why: What can be known to be wrong is refused before anything runs, and on a cluster before any request, because a
    job that fails after an hour tells the same too late.

    What to do: Mend the argument that the message names. `seaway run --help` shows the options of a command, `seaway
    pipelines show PIPELINE` the parameters of a pipeline, `seaway components show train_pytorch` those of a step. Where
    the message has a field's path and the words of an API server, it is the object of a cluster that was refused:
    docs/reference/training.md and docs/reference/endpoint.md list what may be set.
    """


class DataUnreadable(SeawayError):
    """A file or table is missing, empty, truncated, or lacks a column that was asked for.

    Why: A step that took less than it was given would train on it without a word. A folder in S3 whose upload was cut
    off counts as missing, for nobody knows what it lacks.

    What to do: Look at the file, folder or column that the message names. If a step of a run wrote it, run that
    pipeline again with `seaway run PIPELINE --no-cache`; if it is yours, mend it at its source.
    docs/reference/storage.md says when a folder counts as complete.
    """


class StorageCorrupted(DataUnreadable):
    """Bytes that were read are not those that were written: their checksum differs; nothing of them is kept.

    Why: Each object carries the hash of what was sent, so damage on the way or at rest is found before anything uses
    it. Two jobs that write to one folder at once look the same.

    What to do: Run the step again. If it comes back, upload the data anew, see that no other job writes to the same
    URI, and have the storage checked. docs/reference/storage.md lists the faults that are noticed.
    """


class StorageUnavailable(SeawayError):
    """The object store does not answer, refuses the credentials, or has no such bucket.

    Why: A short outage is sat out by trying again; this one lasted longer, or the answer was a refusal, which no trying
    mends.

    What to do: Check `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` where the step runs, and that
    the bucket of `SEAWAY_STORAGE` exists: none is ever made. In a pod they come from the Secret `seaway-storage`
    (docs/clusters.md). docs/reference/storage.md says which variable is read first.
    """


class ValidationFailed(SeawayError):
    """The data breaks a rule; the message names rule, column, count and examples.

    Why: A model that learns from rows that cannot be is wrong without a sign, so the tables are checked before anything
    learns from them.

    What to do: Look at the examples in the message. If the data are wrong, mend their source; if the rule is, change it
    where it is declared, in the project's `rules.py`. Then run the pipeline again; steps that
    did not change are reused.
    """


class LabelsUnavailable(SeawayError):
    """The queue that people label does not answer, refuses the token, is none, or was broken by an editor.

    Why: What people have answered lies in the queue alone. A queue that cannot be read is not an empty one, so nothing
    is concluded from it, and nothing is sent that may be there already.

    What to do: For a folder, look at the file and line that the message names; `SEAWAY_LABELS` says where queues are.
    For Label Studio, check `LABEL_STUDIO_URL` and `LABEL_STUDIO_API_KEY` where the step runs. Then run the step again:
    what was sent is not sent twice, and what was answered is found. docs/how-to/label-data.md has more.
    """


class FeaturesUnavailable(SeawayError):
    """The feature repository cannot give what was asked: unknown view, broken definitions, empty source.

    Why: Feast names the view, the column or the definition that it does not accept; a training set without them would
    be another one than was declared.

    What to do: Compare the definitions with the tables that were ingested: the message names the
    view and the column. An empty source means that what was asked for holds no rows.
    """


class TrainingFailed(SeawayError):
    """A training process failed or never ended; the message ends with the failing rank's last log lines.

    Why: One lost rank leaves the others waiting for it, so all are ended and the first failure is told.

    What to do: Read the last lines. A loss that is no number asks for a lower `learning_rate`, a process ended by
    SIGKILL for more memory or a smaller `batch_size`, one over time for a larger `timeout_s`. Run it again: it goes on
    from its last checkpoint. docs/reference/training.md lists the parameters.
    """


class TrainingUnsound(SeawayError):
    """A diagnosis has found what is wrong with a training, and was asked to stop the run for it.

    Why: Shuffled labels, a leak or a softmax too many give a model all the same, after hours, that nobody should use.

    What to do: Do what the message says of the likeliest fault, and look at the step's page for the rest. Where the
    finding is no fault of yours, leave `stop` of `diagnose_training` off: the page is written either way.
    docs/how-to/find-what-is-wrong-with-a-training.md has each fault.
    """


class NotebookFailed(SeawayError):
    """A cell of a notebook raised an error, its kernel died, or a tagged cell shows nothing that could be kept.

    Why: A notebook goes on to be read after an error; a step that did would hand on what was never computed.

    What to do: Mend the cell that the message names by its place in the notebook. The step's page shows the notebook as
    far as it came, with the whole traceback. docs/how-to/notebook.md says what a tag is and what is kept.
    """


class TuningFailed(SeawayError):
    """Too many trials of a study failed, or none ended well; the message ends with the last failure's reason.

    Why: A study that goes on while its trials fail spends its budget on nothing; `max_failed` says how many are put up
    with.

    What to do: Mend the reason of the last trial, most often a `learning_rate` that the space allows and the network
    does not bear, or constraints that no trial can meet. docs/how-to/tune.md lists what is seen and what to change;
    a pipeline's `tune_trials=0` takes the params as they are.
    """


class CheckpointUnusable(SeawayError):
    """A checkpoint cannot be written (disk full) or is not of this training run (other data, other parameters).

    Why: A training that went on from somebody else's weights would end with a model that nobody can make again.

    What to do: Free some space, or set `SEAWAY_HOME` to another disk and start again. Give each training a checkpoint
    folder of its own; remove one whose training nobody needs. docs/reference/training.md says what a checkpoint holds.
    """


class PackageRefused(SeawayError):
    """A model package is corrupted, unsigned, signed by another key, holds unknown files, a pickle, or unsafe paths.

    Why: Whoever can write to the storage could otherwise have their model, or code in it, served: a package is verified
    before anything in it is read.

    What to do: Do not serve it. If the key was changed, package the model again, or name the key that signed it:
    `seaway manifests endpoint NAME --package URI --public-key FILE`, or `signing.pub` in the folder `keys` of
    `SEAWAY_HOME`. If nobody changed the key, find out who wrote the package. docs/reference/model-package.md lists what
    it may hold, docs/security.md who has the keys.
    """


class ConversionRefused(SeawayError):
    """An edge target cannot take a model; the message names the operator, or the input, and what to change.

    Why: A converter that does not know an operator says so deep in its own words, or leaves it out; and a model that is
    only nearly the same is worse on a device than none.

    What to do: Change what the message names and export the model anew, or take another target:
    docs/reference/edge-targets.md lists what each of them takes. Nothing was written.
    """


class RegistryUnavailable(SeawayError):
    """The model registry or tracking store does not answer, or has no such model.

    Why: Without it nobody knows what is in production, and a step that guessed could promote over it.

    What to do: See that `MLFLOW_TRACKING_URI` leads to your MLflow, from where the step runs; on a laptop it need not
    be set. `SEAWAY_HUB_URI` leads to Kubeflow's model registry, where `SEAWAY_MODEL_REGISTRY` is `hub`. Where no
    version is in production yet, promote one first: a run of its pipeline does. docs/clusters.md says how a cluster
    gets an MLflow.
    """


class ProductionChanged(SeawayError):
    """Another model than the expected one is in production; nothing was promoted over it.

    Why: The candidate was judged against the model that served then. Against the one that serves now nobody has
    compared it.

    What to do: Run the pipeline again: it compares with what is in production now. `seaway runs` shows whether another
    run was going on at the same time.
    """


class GateClosed(SeawayError):
    """The model misses a threshold of the evaluation gate; the message names each one with value and bound.

    Why: A model that is no better than a rule of thumb, or worse than what is in production, never gets traffic.

    What to do: The run's last lines name `evaluation.html`, with the figures behind each rule. Improve data, features
    or training; or change the rule on purpose, by the pipeline's parameter: `seaway run PIPELINE -p gate={...}`,
    whose default `seaway pipelines show PIPELINE` shows.
    """


class EndpointFailed(SeawayError):
    """An endpoint did not become ready, ended, or refused a request; the message ends with its last log lines.

    Why: A deployment that returned before its model answers would leave the failure to the first caller.

    What to do: Read the last lines; on a laptop all logs are in the endpoint's folder below `SEAWAY_HOME`, on a cluster
    `kubectl logs` has them. `seaway down` ends what is left. docs/reference/endpoint.md says what an endpoint needs,
    docs/how-to/serve-on-deployment.md what its pods do when something is wrong.
    """


class InferenceRefused(EndpointFailed):
    """The endpoint refused the request itself (HTTP 4xx): wrong token, unknown model, bad input.

    Why: The same request will be refused again, so it is told apart from an endpoint that is down.

    What to do: 401 is the token, which is in the endpoint's folder below `SEAWAY_HOME` or in the Secret
    `seaway-endpoint-tokens`; 404 the name of the model or of the arm; 400 names the input. The `sample` in a package's
    signature shows inputs that work. docs/reference/endpoint.md lists paths and types.
    """


class InferenceUnavailable(EndpointFailed):
    """The endpoint did not answer, or failed on its side (HTTP 5xx).

    Why: The request may be right; a rollout counts this against the arm that was asked.

    What to do: Try again. If it stays, see whether the endpoint still runs and read its logs: `seaway predict NAME
    ROWS` asks it from here, `kubectl get pods -l seaway.dev/endpoint=NAME` shows its pods on a cluster.
    docs/reference/endpoint.md lists what answers, and when a pod is not ready.
    """


class PortTaken(EndpointFailed):
    """A port that was asked for by number is in use by another process.

    Why: An endpoint on another port than the one that was asked for would be found by nobody.

    What to do: Name another port, or 0 for any free one: `seaway serve PACKAGE --port 0`. If a run of yours holds it,
    `seaway down` ends that.
    """


class TrafficFailed(SeawayError):
    """Weights could not be set, or the traffic does not follow the weights that were set.

    Why: A rollout that believed in weights that nobody carries out would judge the candidate by requests of the other
    arm.

    What to do: The message names what the gateway does instead, or who else writes the weights. Let one owner set them:
    docs/how-to/route-by-istio.md and docs/how-to/route-by-gateway-api.md say how to name route and gateway, and what
    Argo CD has to ignore. Then run the rollout again.
    """


class MetricsUnavailable(SeawayError):
    """Metrics are missing, stale or unreachable; a judge must not take this for good news.

    Why: No errors counted is not the same as no errors. A look without whole and fresh figures is blind, and several
    blind looks in a row end a rollout on stable.

    What to do: See that `SEAWAY_PROMETHEUS_URL`, `SEAWAY_GATEWAY_STATS` or `SEAWAY_PUSHGATEWAY_URL` is right from where
    the step runs, and that the last scrape is fresh. docs/how-to/route-by-istio.md says what counts requests,
    docs/how-to/monitor.md where figures go, docs/how-to/tune-with-katib.md where those of trials come from.
    """


class RolledBack(SeawayError):
    """The rollout ended with the stable model in charge; the message says on which evidence.

    Why: The candidate did harm, or there was too little evidence that it does none: undecided means rolled back. A run
    that ended well here would be taken for a promotion.

    What to do: `seaway report --open` shows the page of the run, with each criterion and its interval. Give an
    undecided candidate more rows, and mend a worse one. docs/explanation/judge.md says how it is
    decided, and how many requests that takes.
    """


class NotApproved(SeawayError):
    """A person's leave was refused, did not come in time, or could not have been trusted; the gate stays closed.

    Why: A run that goes on without an answer would have made the question a formality, and a name that anybody may
    write answers for nothing.

    What to do: `seaway approve` lists what runs ask; the message names who refused, and why. Where it says that anybody
    could approve, have manifests/approvals applied. docs/how-to/ask-for-approval.md has both.
    """


class NoticeFailed(SeawayError):
    """Somebody who was to be told of a run was not: the receiver cannot be reached, or refused the notice.

    Why: A notice that nobody got would look sent, and the failure that it told of would stay unseen.

    What to do: The step's log has the receiver's own words. Mend its line in the Secret `seaway-notices` or in
    `SEAWAY_NOTIFY`, and run the step again: who was told before is not told again.
    docs/how-to/be-told-of-failures.md has the form of the addresses.
    """


class EvidenceRefused(SeawayError):
    """A rollout's signed statement is missing, altered, signed by another key, or speaks of something else.

    Why: Whoever can write beside a package could otherwise say that a judge has promoted it. A statement counts only
    with the signature, for the package and with the looks that it names.

    What to do: `seaway verify PACKAGE` or `seaway verify ENDPOINT` names each link of the chain that is missing or
    wrong. Without a statement nobody has decided about the model by a rollout: run the pipeline again.
    docs/how-to/verify-a-release.md says what each finding means.
    """


class Forbidden(SeawayError):
    """The API server refuses who we are or what we may do; never taken for "not found".

    Why: Who may not look must not conclude that there is nothing.

    What to do: Where the message names verb and resource, a role with that rule must be bound to the account that the
    step runs as: `kubectl apply --server-side -k manifests/access` has all that Seaway needs (docs/clusters.md). Where
    Kubeflow Pipelines refuses, give `seaway submit` a `--token-file` or `--cookies`: docs/how-to/run-on-kubeflow.md
    says which, and where from.
    """


class KindMissing(SeawayError):
    """The cluster does not serve this kind of object: its custom resource definition is not installed.

    Why: It was asked for by a backend whose operator this cluster does not have.

    What to do: Install the operator, or choose a backend that the cluster has, such as `seaway run PIPELINE --platform
    kubernetes --backend tuner=optuna`. docs/clusters.md lists which operator each backend needs.
    """


class OperatorMissing(SeawayError):
    """An object was created and nothing ever took it up: the kind is served, but its controller does not run.

    Why: The API server takes an object whether or not anybody acts on it; waiting for one that nobody sees would never
    end.

    What to do: `kubectl get deployments --all-namespaces` shows whether the operator runs. See that it watches this
    namespace, and for Katib that the namespace has its label (docs/how-to/tune-with-katib.md). docs/clusters.md lists
    the operators.
    """


class NameTaken(SeawayError):
    """An object of this name, or a field of it, belongs to another owner; it was left as it is.

    Why: Another run, Argo CD or a person made it, and who writes over it takes their work away.

    What to do: The message names the owner, and the command that shows it. Call yours something else, or end theirs:
    `seaway down RUN --platform kubernetes` for one of another run. An endpoint is git's or the steps', never both:
    docs/how-to/endpoint-by-git.md says how it changes hands.
    """


class AdmissionRefused(SeawayError):
    """An admission webhook or policy of the cluster refused the object, or did not answer.

    Why: The cluster has rules beyond Kubernetes' own; the message has the words of the one that refused.

    What to do: Change what they name. A webhook that does not answer belongs to an operator that is down. For Pod
    Security `restricted`, `kubectl apply --server-side -k manifests/training` and manifests/tuning mend what the
    training operator and Katib leave out (docs/reference/training.md, docs/how-to/tune-with-katib.md).
    """


class QuotaExceeded(SeawayError):
    """The namespace's resource quota leaves no room for the object.

    Why: Another attempt would be refused as well, as long as what uses the quota is there.

    What to do: `kubectl describe resourcequota` shows what is used. Delete finished jobs, ask for less by `placement`
    (docs/reference/training.md) or `hosting` (docs/reference/endpoint.md), or have the quota raised.
    """


class NamespaceUnavailable(SeawayError):
    """The namespace does not exist, or is being deleted.

    Why: Nothing can be made in it, now or later.

    What to do: `SEAWAY_NAMESPACE` names the namespace; where it is not set, it is the one of the kubeconfig's context.
    docs/clusters.md says what a namespace needs; one that is being deleted comes back only when somebody makes it anew.
    """


class ObjectDeleted(SeawayError):
    """The object that was waited for was deleted by somebody else.

    Why: Its outcome is lost with it, so the step cannot say whether the job ended well.

    What to do: `kubectl get events` may show who deleted it. Run the step again: it starts the job anew, and a training
    goes on from its last checkpoint.
    """


class ObjectChanged(SeawayError):
    """Somebody else has changed the object since it was read; nothing was written over the change.

    Why: Two processes drive one rollout, or a person edits what a step writes; who writes last would undo the other's
    change without knowing it.

    What to do: Let the other process finish, or end it, and run the step again: a rollout goes on from its journal.
    docs/reliability.md says what two drivers of one rollout see.
    """


class PodsStuck(SeawayError):
    """A pod cannot start and will not by waiting: its image cannot be had, or Pod Security refuses it.

    Why: Kubernetes tries for ever; a step that waited with it would end by its time-out, without the reason.

    What to do: Mend the image's name (`SEAWAY_TRAINER_IMAGE`, `SEAWAY_SERVER_IMAGE`) or its pull secret; `make images`
    builds all three (images/README.md). Where Pod Security refuses, the message has the rule, and docs/clusters.md the
    policies that help.
    """


class JobFailed(SeawayError):
    """The job ended as failed; the message has its reason and the last log lines of the pods that failed.

    Why: A failed job is a failed step; what runs on the cluster has tried as often as it was told to.

    What to do: Read the last lines: they are the program's own. OOMKilled asks for more `memory`. A run of Kubeflow
    Pipelines is told by the address where its steps and logs are. docs/reliability.md lists causes and what each looks
    like.
    """


class TimedOut(SeawayError):
    """The job did not end in its time and was deleted; the message says what its pods were waiting for.

    Why: Nothing is waited for without an end; `timeout_s` is the caller's.

    What to do: If its pods waited for a node, a quota or an image, mend that; if they worked, give the job a larger
    `timeout_s`. docs/reliability.md says how long what else is borne.
    """


class ServerGone(SeawayError):
    """The API server did not answer for longer than an outage may last.

    Why: A short outage is sat out. After a longer one nobody knows what becomes of the job, so the step fails and names
    what it could not delete.

    What to do: `kubectl get --raw /readyz` shows the server's state. Run the step again when it answers: it takes its
    job up where it was. docs/reliability.md has the times.
    """


class SlurmUnavailable(SeawayError):
    """Slurm's programs are not on this machine, or its controller did not answer for longer than an outage may last.

    Why: A restart of the controller is sat out: jobs run on without it. After a longer time nobody knows what becomes
    of the job, so the step fails and names it; the job itself may go on.

    What to do: `scontrol ping` shows whether the controller answers; the programs come with the package slurm-client.
    Run the step again when it does: it takes its job up where it was. docs/how-to/train-on-slurm.md has the times.
    """


class RayUnavailable(SeawayError):
    """The head of the Ray cluster did not answer for longer than an outage may last.

    Why: A restart of the head is sat out: where it keeps its state, jobs run on without it. After a longer time nobody
    knows what becomes of the job, so the step fails and names it; the job itself may go on.

    What to do: See that `placement.address`, or `address` of the file that SEAWAY_RAY names, is the address of the
    cluster's dashboard as this machine reaches it. Run the step again when it answers: it takes its job up where it
    was. docs/how-to/train-on-ray.md has the times.
    """


class ImageNotBuilt(SeawayError):
    """An image of your code could not be put together or pushed.

    Why: A registry does not answer, refuses, or gives other bytes than a digest promises.

    What to do: See that the name after `--build` is of a repository that you may push to, and log in: `docker login
    REGISTRY`, or any tool that writes ~/.docker/config.json. A base of your own is named by `SEAWAY_IMAGE`.
    """


class PipelinesUnavailable(SeawayError):
    """Kubeflow Pipelines does not answer, fails, or something else than its API answers at the address.

    Why: A login page or a proxy answers too, and its answer must not be taken for the API's.

    What to do: See that `--endpoint` of `seaway submit` is the address of the API, and the port forwarded: `kubectl -n
    kubeflow port-forward service/ml-pipeline-ui 8080:80`. A certificate of a private authority wants `--ca-file`.
    docs/how-to/run-on-kubeflow.md lists what is seen and what it is.
    """


class RunFailed(SeawayError):
    """A pipeline run failed; the message names the step, its reason and its log; `folder` has the run's record.

    Why: The first step that fails ends the run: what depends on it cannot start, and the rest would only delay the
    reason.

    What to do: The reason begins with the error of the step, which `seaway explain` explains by its name, and the log
    has all of its output. Mend it and run again: steps that did not change are reused. `seaway runs` lists the runs.
    """

    def __init__(self, message: str, folder: Path, cause: str = "") -> None:
        super().__init__(message)
        self.folder = folder
        self.cause = cause  # name of the step's error class, where it is one of these
