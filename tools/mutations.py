"""Lines that must not be wrong, each with a fault that a fast test notices; `tools.mutants` makes them.

A fault is what is wrong, part of a line that its file has once, what stands there instead, and the tests, below
`tests/`, of which one falls.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """`old`, which `file` has once, becomes `new`; one of `tests` falls."""

    file: str
    why: str
    old: str
    new: str
    tests: tuple[str, ...]


def of(file: str, *faults: tuple[str, str, str, str]) -> tuple[Mutation, ...]:
    """The mutations of a file of the library; tests are separated by blanks."""
    return tuple(
        Mutation(f"sdk/seaway/{file}", why, old, new, tuple(f"tests/{test}" for test in tests.split()))
        for why, old, new, tests in faults
    )


JUDGE, EVIDENCE = "unit/rollout/test_judge.py", "unit/rollout/test_judge_evidence.py"
RATES, LEDGER = "unit/rollout/test_judge_rates.py", "unit/rollout/test_ledger.py"
CLOSED, HOSTILE = "unit/rollout/test_judge_closed.py", "unit/rollout/test_judge_hostile.py"
PACKAGE = "unit/models/test_package.py"
ROLLOUT = "unit/rollout/test_controller.py"
LAUNCH, REFUSALS, WATCH = (f"apiserver/test_{name}.py" for name in ("launch", "launch_refusals", "watch"))
TRAFFIC, ENDPOINT = "apiserver/test_traffic.py", "apiserver/test_endpoint.py"
SELDON, FAULTS = (f"apiserver/test_endpoint_{name}.py" for name in ("seldon", "faults"))
TASKS = "unit/tasks/test_tasks.py"
APPROVALS, GUARD = "unit/approvals/test_approvals.py", "apiserver/test_approvals.py"
ARGUMENTS = "unit/kfp/test_arguments.py"
ASOF = "local/features/test_asof_store.py::test_a_value_is_seen_from_its_time_to_the_end_of_its_time_to_live"

MUTATIONS = (
    *of(
        "rollout/judge/decision.py",
        (
            "hole 3: what the client saw itself is thrown away",
            "if not fault or observation.testifies()]",
            "if not fault]",
            f"{CLOSED}::test_what_the_client_saw_itself_counts_against_the_candidate_and_never_for_it",
        ),
        (
            "hole 5: a candidate that fails as stable does is not ended",
            "policy.restarts) < enough(BROKEN)",
            "policy.restarts) < enough(1e-99)",
            f"{CLOSED}::test_a_present_outage_of_both_arms_is_not_outweighed_by_a_healthy_past",
        ),
        (
            "hole 5: a candidate that fails as stable does is promoted",
            "if (failing := _failing_now(usable)) > policy.max_error_rate:",
            "if (failing := _failing_now(usable)) > 1:",
            f"{CLOSED}::test_an_outage_at_the_present_weights_is_no_promotion",
        ),
        (
            "half the evidence rolls back",
            "log_e_harm >= enough(question.harm_level)",
            "log_e_harm >= enough(2 * question.harm_level)",
            f"{JUDGE}::test_a_rollback_takes_evidence_of_one_over_the_rate_of_false_ones",
        ),
        (
            "half the evidence promotes",
            "log_e_safety >= enough(question.safety_level)",
            "log_e_safety >= enough(2 * question.safety_level)",
            f"{JUDGE}::test_a_promotion_takes_evidence_of_one_over_the_rate_of_false_ones",
        ),
        (
            "twice the evidence rolls back",
            "log_e_harm >= enough(question.harm_level)",
            "log_e_harm >= enough(question.harm_level / 2)",
            f"{JUDGE}::test_a_rollback_takes_evidence_of_one_over_the_rate_of_false_ones",
        ),
        (
            "twice the evidence promotes",
            "log_e_safety >= enough(question.safety_level)",
            "log_e_safety >= enough(question.safety_level / 2)",
            f"{JUDGE}::test_a_promotion_takes_evidence_of_one_over_the_rate_of_false_ones",
        ),
        (
            "an interval that is too short",
            "enough_safety = enough(question.harm_level)",
            "enough_safety = enough(2 * question.harm_level)",
            f"{JUDGE}::test_an_interval_holds_the_bound_until_the_evidence_against_it_is_enough",
        ),
        (
            "half the evidence is enough everywhere",
            "return math.log(1 / level)",
            "return math.log(0.5 / level)",
            f"{RATES}::test_rates_are_what_was_measured",
        ),
        (
            "twice the evidence is wanted everywhere",
            "return math.log(1 / level)",
            "return math.log(2 / level)",
            f"{RATES}::test_rates_are_what_was_measured",
        ),
        (
            "a blind look promotes",
            "if found and found[-1]:",
            "if not found:",
            f"{JUDGE}::test_a_blind_look_never_promotes",
        ),
        (
            "too few requests promote",
            "for arm, total in totals.items() if total < policy.min_requests",
            "for arm, total in totals.items() if total < 1",
            f"{JUDGE}::test_too_few_requests_promote_nothing_however_sure_the_evidence",
        ),
        (
            "blind looks end a rollout one too late",
            "missing >= policy.max_missing",
            "missing > policy.max_missing",
            f"{JUDGE}::test_a_blind_look_never_promotes",
        ),
        (
            "a budget is overdrawn by a look",
            ">= policy.budget",
            "> policy.budget",
            f"{JUDGE}::test_a_budget_is_spent_by_its_last_request",
        ),
        (
            "a healthy past outweighs a late fault",
            "autocorrelation.strongest(bets.log_e, bets.noise, bets.prior, changes, restarts)",
            "autocorrelation.whole(bets.log_e, bets.noise, bets.prior)",
            f"{JUDGE}::test_a_fault_that_begins_late_is_caught_within_a_few_looks",
        ),
        (
            "blind looks have no share",
            "blind > policy.max_missing_share * len(found)\n    if",
            "blind < 0\n    if",
            f"{CLOSED}::test_blind_looks_are_capped_in_number_and_in_share",
        ),
        (
            "blind looks have no number",
            "too_many or blind >= policy.max_blind",
            "too_many",
            f"{CLOSED}::test_blind_looks_are_capped_in_number_and_in_share",
        ),
        (
            "traffic that goes astray is judged",
            'weights: {_shares(usable)}." if astray',
            'weights: {_shares(usable)}." if False',
            f"{CLOSED}::test_a_candidate_that_gets_less_than_its_weight_is_not_promoted",
        ),
        (
            "an outage is outweighed by a healthy past",
            "max(failing_share(observations), failing_share(present))",
            "failing_share(observations)",
            f"{CLOSED}::test_an_outage_at_the_present_weights_is_no_promotion",
        ),
        (
            "full traffic has nothing to be compared with",
            "for age, place in enumerate(alone if before else ()):",
            "for age, place in enumerate(()):",
            f"{ROLLOUT}::test_a_last_step_is_compared_although_no_request_is_shadowed",
        ),
    ),
    *of(
        "rollout/judge/autocorrelation.py",
        (
            "hole 2: evidence does not start anew where the weights change",
            "shares[change] += RESTART",
            "shares[change] += 0.0",
            f"{ROLLOUT}::test_a_last_step_is_compared_although_no_request_is_shadowed "
            f"{RATES}::test_a_fault_that_begins_at_full_traffic_is_caught_there",
        ),
        (
            "hole 7: a constant difference is dependence",
            "np.maximum((residuals**2).sum(axis=-1), np.maximum(freedom, 1.0))",
            "(residuals**2).sum(axis=-1)",
            f"{CLOSED}::test_counts_that_differ_by_a_constant_are_no_dependence",
        ),
        (
            "hole 9: earlier rollouts tell no noise",
            "if dispersion > max(found.inflation,",
            "if 0 > max(found.inflation,",
            f"{CLOSED}::test_earlier_rollouts_of_a_noisy_endpoint_make_the_judge_patient",
        ),
        (
            "windows have more than the whole significance",
            "LATE / (start * (start + 1))",
            "LATE / start",
            f"{EVIDENCE}::test_the_windows_share_the_significance_and_no_more",
        ),
        (
            "evidence is not discounted for dependence",
            "(self.freedom * self.inflations)",
            "self.freedom",
            f"{EVIDENCE}::test_looks_that_differ_by_more_than_chance_weaken_evidence",
        ),
        (
            "requests that depend on each other count as many",
            "np.maximum(np.expand_dims(noise.serial, -1), dispersion)",
            "dispersion",
            f"{EVIDENCE}::test_requests_that_depend_on_each_other_weaken_evidence",
        ),
    ),
    *of(
        "rollout/judge/latency.py",
        (
            "hole 1: latencies are compared with those of the first look",
            "limit = np.take_along_axis(pooled, place[:, None], axis=1)",
            "limit = np.take_along_axis(pooled, place[:, None], axis=1)[:1]",
            f"{CLOSED}::test_a_drift_that_both_arms_share_promotes_no_slow_candidate "
            f"{CLOSED}::test_equal_arms_are_promoted_whatever_drift_they_share",
        ),
        (
            "hole 8: what was rounded up is slower",
            "look + self.resolution for look",
            "look + 0.0 for look",
            f"{CLOSED}::test_whole_milliseconds_do_not_make_a_tolerated_candidate_slow",
        ),
    ),
    *of(
        "rollout/judge/criteria.py",
        (
            "hole 9: a relative margin is none",
            "null = math.log1p(bound) if self.relative else 0.0",
            "null = 0.0",
            f"{CLOSED}::test_a_relative_margin_is_decided_at_a_high_error_rate",
        ),
        (
            "hole 10: the whole distribution is not judged",
            "[self.latencies.slowest(level, 1 + bound) for level in LEVELS]\n        ranks",
            "[self.latencies.slowest(level, 1 + bound) for level in LEVELS[:1] * 7]\n        ranks",
            f"{CLOSED}::test_the_whole_distribution_is_judged_beside_any_quantile",
        ),
    ),
    *of(
        "rollout/ledger.py",
        (
            "a release that proves nothing costs nothing",
            "log_e < math.log(1 / EVIDENT)",
            "log_e < -1e9",
            f"{LEDGER}::test_releases_that_fail_again_and_again_are_judged_more_strictly",
        ),
        (
            "a release that is told again is counted twice",
            "if key in self.keys or",
            "if",
            f"{LEDGER}::test_a_release_is_counted_once_and_in_the_year_in_which_it_began",
        ),
    ),
    *of(
        "rollout/judge/proportions.py",
        (
            "a look chooses its own bet",
            "(np.cumsum(part, axis=-1) - part)",
            "np.cumsum(part, axis=-1)",
            f"{EVIDENCE}::test_a_look_has_no_say_in_its_own_bet_on_proportions",
        ),
    ),
    *of(
        "rollout/judge/pace.py",
        (
            "a look has a say in its own pace",
            "(self.enough - won, LEAST)",
            "(self.enough - won - bets[..., look, 0], LEAST)",
            f"{EVIDENCE}::test_a_pace_is_timid_where_plenty_is_left_bold_near_the_end_and_timid_once_there_is_enough",
        ),
        (
            "the budget is never nearly spent",
            "- (np.cumsum(requests, axis=-1) - requests)",
            "",
            f"{EVIDENCE}::test_a_pace_is_timid_where_plenty_is_left_bold_near_the_end_and_timid_once_there_is_enough",
        ),
    ),
    *of(
        "rollout/judge/conditional.py",
        (
            "a draw is worth more than it can be on average",
            "share = np.minimum(chosen / (index + 1), 1.0)",
            "share = np.minimum(chosen / (index + 2), 1.0)",
            f"{EVIDENCE}::test_no_bet_on_scores_wins_on_average_when_arms_are_alike",
        ),
        (
            "the odds of a look are worth more than they are",
            "return np.minimum(bets, CAP)\n\n\n@lru_cache",
            "return np.minimum(bets, CAP) + 0.1\n\n\n@lru_cache",
            f"{EVIDENCE}::test_no_bet_on_odds_wins_on_average_under_its_null",
        ),
    ),
    *of(
        "rollout/judge/bounded_means.py",
        (
            "a bet can win on average under its null",
            "(flat[:, None] - bound)",
            "(flat[:, None] + bound)",
            f"{EVIDENCE}::test_no_bet_on_bounded_differences_wins_on_average_under_its_null",
        ),
    ),
    *of(
        "rollout/policy.py",
        (
            "hole 10: the tail is not guarded",
            "(0.5, 0.9, 0.99)\n",
            "(0.5, 0.9)\n",
            f"{CLOSED}::test_what_the_median_and_p90_do_not_show_is_rolled_back",
        ),
        (
            "each criterion has more than its share",
            "/ sum(shares.values())",
            "/ max(shares.values())",
            f"{JUDGE}::test_the_criteria_share_the_rate_of_false_rollbacks_and_none_has_it_whole",
        ),
    ),
    *of(
        "rollout/observations.py",
        (
            "hole 6: metrics of the future are evidence",
            "if not -SKEW_S <= age <= max_age_s:",
            "if not age <= max_age_s:",
            f"{HOSTILE}::test_a_rollout_that_is_blind_in_one_way_throughout_is_never_promoted",
        ),
        (
            "hole 6: the same look again is evidence",
            "if observation.time <= latest:",
            "if observation.time < latest:",
            f"{HOSTILE}::test_a_rollout_that_is_blind_in_one_way_throughout_is_never_promoted",
        ),
        (
            "hole 6: counts without end are evidence",
            "self.requests <= MOST and",
            "self.requests and",
            f"{HOSTILE}::test_counts_that_no_proxy_can_have_made_are_no_evidence",
        ),
        (
            "stale metrics are evidence",
            "if not -SKEW_S <= age <= max_age_s:",
            "if not -SKEW_S <= age:",
            f"{JUDGE}::test_a_blind_look_never_promotes",
        ),
        (
            "more errors than requests are evidence",
            "0 <= self.errors <= self.requests <= MOST",
            "0 <= self.errors <= MOST",
            f"{JUDGE}::test_a_blind_look_never_promotes",
        ),
    ),
    *of(
        "rollout/controller.py",
        (
            "hole 2: nothing is asked of stable at full traffic",
            'CONTROL if weights["candidate"] == FULL else 0.0',
            "0.0",
            f"{ROLLOUT}::test_stable_is_asked_in_every_look_of_full_traffic",
        ),
        (
            "hole 2: full traffic is looked at once",
            "seen.count(FULL) >= plan.confirming_looks",
            "seen.count(FULL) >= 1",
            f"{ROLLOUT}::test_full_traffic_is_looked_at_ten_times",
        ),
        (
            "the ledger's level is not heeded",
            "false_promotion=min(journal.level, plan.policy.false_promotion)",
            "false_promotion=plan.policy.false_promotion",
            f"{ROLLOUT}::test_a_ledger_that_has_little_left_asks_for_more_evidence",
        ),
        (
            "weights that somebody else has set are driven on by",
            "if now != weights:",
            "if not now:",
            f"{ROLLOUT}::test_traffic_that_somebody_else_moves_ends_the_rollout",
        ),
        (
            "traffic is taken from the other process",
            "except ObjectChanged:",
            "except ZeroDivisionError:",
            f"{ROLLOUT}::test_a_rollout_that_another_process_drives_leaves_the_weights_to_it",
        ),
        (
            "an interrupted rollout leaves the weights",
            "set_weights(endpoint, ALL_STABLE)",
            "weights(endpoint)",
            f"{ROLLOUT}::test_an_interrupted_rollout_goes_on_where_it_was",
        ),
        (
            "full traffic without the judge's word",
            "elif not last and (promoted or",
            "elif not last and (True or",
            f"{ROLLOUT}::test_full_traffic_waits_for_the_judges_word",
        ),
        (
            "a last step that nobody saw confirms",
            "if last and not verdict.lacking and _confirmed(plan, journal):",
            "if last:",
            f"{ROLLOUT}::test_a_last_step_that_nobody_saw_confirms_nothing",
        ),
        (
            "what is found bad keeps its traffic",
            "if exhausted or fast.decision in BACK:",
            "if exhausted:",
            f"{ROLLOUT}::test_all_else_ends_on_stable",
        ),
        (
            "the end of the requests is a promotion",
            "journal.reason = Decision.INCONCLUSIVE, f",
            "journal.reason = Decision.PROMOTE, f",
            f"{ROLLOUT}::test_running_out_of_requests_is_no_promotion",
        ),
    ),
    *of(
        "rollout/promotion.py",
        (
            "promoted over a model that it was not judged against",
            'over=rollout.endpoint.arms["stable"].version)\n    except',
            'over=rollout.endpoint.arms["candidate"].version)\n    except',
            f"{ROLLOUT}::test_a_candidate_replaces_only_the_model_that_it_was_judged_against",
        ),
        (
            "the registry is told of what does not serve",
            "if candidate not in {",
            "if not {",
            f"{ROLLOUT}::test_the_registry_is_told_nothing_of_a_candidate_that_was_ended",
        ),
        (
            "an inconclusive rollout confirms",
            "not in (Decision.PROMOTE, Decision.UNCHANGED)",
            "not in (Decision.PROMOTE, Decision.UNCHANGED, Decision.INCONCLUSIVE)",
            f"{ROLLOUT}::test_all_else_ends_on_stable",
        ),
    ),
    *of(
        "rollout/state.py",
        (
            "another plan goes on from the journal",
            ' or kept["fingerprint"] != plan.fingerprint:',
            ":",
            f"{ROLLOUT}::test_a_rollout_of_another_plan_begins_anew",
        ),
    ),
    *of(
        "rollout/plan.py",
        (
            "another policy is the same plan",
            "self.steps, self.policy, looks",
            "self.steps, looks",
            f"{ROLLOUT}::test_a_rollout_of_another_plan_begins_anew",
        ),
    ),
    *of(
        "rollout/observer.py",
        (
            "stale counters are evidence",
            "if short := _short(counts, answers):",
            "if short := []:",
            f"{ROLLOUT}::test_requests_that_were_not_accounted_for_never_promote",
        ),
        (
            "a request without an answer is no error",
            "return _arm(requests + lost, errors + lost, answers, name)",
            "return _arm(requests + lost, errors, answers, name)",
            f"{ROLLOUT}::test_requests_that_are_never_answered_are_errors_of_their_arm",
        ),
        (
            "what a blind look told is counted twice",
            "counts.requests - told.answered[name]",
            "counts.requests",
            f"{ROLLOUT}::test_what_a_blind_look_told_is_not_counted_twice",
        ),
    ),
    *of(
        "features/asof_store.py",
        (
            "a value is not seen at its own time",
            "on=rows[event] >= side.table[side.time]",
            "on=rows[event] > side.table[side.time]",
            ASOF,
        ),
        (
            "a value expires a moment early",
            ">= joined[event])",
            "> joined[event])",
            ASOF,
        ),
        (
            "of two values of one time any is taken",
            "time], time, created)",
            "time], time, None)",
            "local/features/test_asof_store.py::test_created_timestamps_break_ties_and_cut_off",
        ),
    ),
    *of(
        "features/splits.py",
        (
            "labels of the next split's time are learned from",
            " & (rows[LABEL_TIME] <= end)]",
            "]",
            "unit/features/test_splits.py",
        ),
        (
            "a row is in two splits",
            "(rows[EVENT_TIME] < end)",
            "(rows[EVENT_TIME] <= end)",
            "unit/features/test_splits.py",
        ),
        (
            "a label that was known in time is purged",
            "(rows[LABEL_TIME] <= end)",
            "(rows[LABEL_TIME] < end)",
            "unit/features/test_splits.py",
        ),
    ),
    *of(
        "models/signing.py",
        (
            "signatures are not looked at",
            "config.verify(package, package / SIGNATURE_BUNDLE)",
            "str(config)",
            f"{PACKAGE}::test_a_signature_by_another_key_is_refused",
        ),
        (
            "everybody reads the private key",
            "PRIVATE_MODE = 0o600",
            "PRIVATE_MODE = 0o644",
            f"{PACKAGE}::test_a_key_is_made_once_and_only_its_owner_reads_it",
        ),
        (
            "the last of two keys wins",
            "os.link(draft, target)",
            "os.replace(draft, target)",
            f"{PACKAGE}::test_a_key_that_another_process_has_made_meanwhile_is_kept",
        ),
    ),
    *of(
        "models/package.py",
        (
            "a copy is used unchecked",
            "verify(draft, public_key)",
            "_check_files(draft)",
            f"{PACKAGE}::test_what_was_checked_is_what_is_copied",
        ),
        (
            "a hard link to a file of somebody's",
            "status.st_nlink > 1",
            "status.st_nlink > 2",
            f"{PACKAGE}::test_a_file_that_somebody_else_holds_too_is_refused",
        ),
        (
            "unknown files are let in",
            "        check_name(name, package)",
            "        str(name)",
            f"{PACKAGE}::test_unknown_files_are_refused_by_name",
        ),
        (
            "a signature makes another content",
            "if file.name != SIGNATURE_BUNDLE:",
            "if file.name:",
            f"{PACKAGE}::test_the_same_content_is_the_same_package_whenever_it_was_signed",
        ),
        (
            "a pickle of the newest protocol",
            "range(2, 6))",
            "range(2, 5))",
            f"{PACKAGE}::test_a_pickle_of_any_protocol_is_known_by_its_start",
        ),
    ),
    *of(
        "models/proof.py",
        (
            "a model that answers NaN is packed",
            "np.isfinite(given).all()",
            "np.isfinite(given).any()",
            f"{PACKAGE}::test_a_model_that_answers_nan_to_one_row_is_refused",
        ),
    ),
    *of(
        "models/flavours/torch_export.py",
        (
            "weights of another training",
            "check_weights(folder, load_program(folder / GRAPH_FILE).state_dict)",
            "load_program(folder / GRAPH_FILE)",
            f"{PACKAGE}::test_weights_of_another_training_are_refused",
        ),
    ),
    *of(
        "models/atomic_folder.py",
        (
            "half a package stays",
            "shutil.rmtree(draft, ignore_errors=True)",
            "draft.exists()",
            f"{PACKAGE}::test_no_space_leaves_nothing_half_written_and_the_old_package_whole",
        ),
    ),
    *of(
        "models/archive.py",
        (
            "a member twice",
            "if stream is None or name in seen:",
            "if stream is None:",
            f"{PACKAGE}::test_a_member_that_is_there_twice_is_refused",
        ),
    ),
    *of(
        "models/flavours/torch_export_safety.py",
        (
            "pickled tensors",
            "value is not False:",
            "value is None:",
            f"{PACKAGE}::test_a_graph_that_could_run_code_is_refused_unrun",
        ),
        (
            "any function as an operator",
            "not TARGET.fullmatch(str(value))",
            "not TARGET.search(str(value))",
            f"{PACKAGE}::test_a_graph_that_could_run_code_is_refused_unrun",
        ),
    ),
    *of(
        "models/flavours/torch_export.py",
        (
            "sample inputs are unpickled",
            "weights_only=True)",
            "weights_only=False)",
            f"{PACKAGE}::test_a_graph_that_could_run_code_is_refused_unrun",
        ),
    ),
    *of(
        "platforms/kubernetes/jobs/launch.py",
        (
            "another run's job is adopted",
            '{RUN: wanted["labels"][RUN]}',
            "{}",
            f"{LAUNCH}::test_a_name_of_another_run_is_left_alone",
        ),
        (
            "a job from another spec is adopted",
            '{SPEC: wanted["annotations"][SPEC]}',
            "{}",
            f"{LAUNCH}::test_a_job_of_this_run_from_another_spec_is_left_alone",
        ),
        (
            "a job that has failed is gone on with",
            "(ended is None or ended.state is State.SUCCEEDED)",
            "(ended is None or ended.state is not None)",
            f"{LAUNCH}::test_a_step_run_again_after_a_failure_starts_the_job_anew",
        ),
        (
            "a job that is being deleted is gone on with",
            'return "deletionTimestamp" not in job["metadata"] and',
            "return",
            f"{LAUNCH}::test_a_job_whose_deletion_has_begun_is_waited_for_and_started_anew",
        ),
        (
            "another run's job is cancelled",
            "if found is None or not is_of_run(found, manifest):",
            "if found is None:",
            f"{LAUNCH}::test_what_another_run_has_put_in_our_place_is_not_cancelled",
        ),
        (
            "a job outlives its step",
            "if wait.started:",
            "if not wait.started:",
            f"{LAUNCH}::test_a_job_that_is_cancelled_is_gone_when_the_step_ends",
        ),
    ),
    *of(
        "platforms/kubernetes/client/naming.py",
        (
            "two runs have one name",
            "_sha256([step.run, step.name, digest])",
            "_sha256([step.name, digest])",
            "unit/kubernetes/client/test_naming.py",
        ),
        (
            "the hash sees metadata",
            'if key not in ("metadata", "status")',
            'if key != "status"',
            "unit/kubernetes/client/test_naming.py",
        ),
    ),
    *of(
        "platforms/kubernetes/client/ownership.py",
        (
            "what anybody calls our endpoint is one",
            '{MANAGED_BY: "seaway", ENDPOINT: name}',
            "{ENDPOINT: name}",
            f"{ENDPOINT}::test_half_the_marks_of_an_endpoint_are_none",
        ),
        (
            "whatever is ours is this endpoint's",
            '{MANAGED_BY: "seaway", ENDPOINT: name}',
            '{MANAGED_BY: "seaway"}',
            f"{TRAFFIC}::test_a_route_with_half_our_marks_is_somebody_elses",
        ),
    ),
    *of(
        "platforms/kubernetes/client/informer.py",
        (
            "an expired version is no reason to list",
            "if error.status == HTTPStatus.GONE:",
            "if error.status == HTTPStatus.NOT_FOUND:",
            f"{WATCH}::test_an_expired_watch_lists_anew",
        ),
        (
            "no bookmarks",
            '"allowWatchBookmarks": "true"',
            '"allowWatchBookmarks": "false"',
            f"{WATCH}::test_a_watch_that_ends_goes_on_from_the_last_bookmark",
        ),
        (
            "a deletion in the gap is not noticed",
            "            self._tell(item, present=False)",
            "            str(item)",
            f"{WATCH}::test_who_listens_is_told_what_was_deleted_in_the_gap_of_an_expired_watch",
        ),
        (
            "a watch for each who waits",
            "if informer is None or informer.error:",
            "if informer is None or informer:",
            f"{WATCH}::test_many_waits_share_their_watches",
        ),
    ),
    *of(
        "platforms/kubernetes/jobs/wait.py",
        (
            "another object of the name is waited for",
            'if found is None or found["metadata"]["uid"] != self.job["metadata"]["uid"]:',
            "if found is None:",
            f"{WATCH}::test_a_job_that_another_run_has_replaced_unseen_is_not_waited_for",
        ),
    ),
    *of(
        "platforms/kubernetes/client/api_errors.py",
        (
            "a race lost in the server ends a step",
            "in RETRIED or self.lost_race",
            "in RETRIED",
            "unit/kubernetes/client/test_api_errors.py",
        ),
        (
            "another manager's field is a race",
            'and not self.caused_by("FieldManagerConflict")',
            "and self.message",
            "unit/kubernetes/client/test_api_errors.py::test_what_another_manager_or_another_object_has_is_no_race",
        ),
        (
            "an object that was put in the place of ours is a race",
            "and not OTHER_OBJECT.search(self.message)",
            "and self.message",
            "unit/kubernetes/client/test_api_errors.py::test_what_another_manager_or_another_object_has_is_no_race",
        ),
        (
            "a name that is taken is a race",
            'and self.reason == "Conflict"',
            "and self.reason",
            "unit/kubernetes/client/test_api_errors.py::test_what_will_be_answered_again_is_not_asked_again",
        ),
        (
            "403 is not found",
            "HTTPStatus.FORBIDDEN: _forbidden",
            "HTTPStatus.FORBIDDEN: _not_found",
            "unit/kubernetes/client/test_api_errors.py",
        ),
    ),
    *of(
        "platforms/kubernetes/client/objects.py",
        (
            "a patch of what has changed meanwhile",
            "[unchanged, *operations]",
            "[*operations]",
            f"{TRAFFIC} apiserver/test_objects.py",
        ),
        (
            "what is wrong is taken for a change",
            'if now and now["metadata"]["resourceVersion"] == version:',
            "if now is None:",
            "apiserver/test_objects.py",
        ),
        (
            "another object of the name is deleted",
            'options["preconditions"] = {"uid": uid}',
            'options["preconditions"] = {}',
            "apiserver/test_objects.py",
        ),
        (
            "a misspelt field is dropped",
            '"fieldValidation": "Strict"',
            '"fieldValidation": "Ignore"',
            f"{REFUSALS}::test_a_misspelt_field_is_refused_rather_than_dropped",
        ),
        (
            "a list ends with its first page",
            'if not page["metadata"].get("continue"):',
            "if page:",
            "apiserver/test_objects.py",
        ),
    ),
    *of(
        "platforms/kubernetes/traffic/weighted_route.py",
        (
            "somebody else's weights are overwritten",
            "if rule.weights not in (*ours, weights):",
            "if rule.weights is None:",
            f"{TRAFFIC}::test_weights_that_somebody_else_sets_meanwhile_are_left",
        ),
        (
            "traffic to a Service that there is not",
            'if found is None or weights.get("candidate") or mirrored:',
            "if mirrored:",
            f"{TRAFFIC}::test_an_arm_without_a_service_is_refused_before_anything_is_written",
        ),
        (
            "a route that is not followed tells its weights",
            "if self._writes and written != carried:",
            "if not written:",
            f"{TRAFFIC}::test_weights_that_the_traffic_does_not_follow_are_not_told",
        ),
        (
            "weights of less than 100",
            "sum(weights.values()) != FULL",
            "sum(weights.values()) > FULL",
            "unit/kubernetes/traffic/test_weighted_route.py::test_only_whole_per_cents_of_existing_arms_are_weights",
        ),
        (
            "all weights are patched, changed or not",
            "if weights.get(arm, 0) != self.shares.get(arm, self.weights[arm])",
            "if arm",
            "unit/kubernetes/traffic/test_weighted_route.py::test_a_patch_sets_the_weights_that_differ_and_nothing_else",
        ),
    ),
    *of(
        "platforms/kubernetes/traffic/seldon.py",
        (
            "a shadow's share is traffic",
            "0 if arm in shadows else share",
            "share",
            "unit/kubernetes/traffic/test_weighted_route.py::test_predictors_are_the_arms_and_shadows_have_no_share",
        ),
    ),
    *of(
        "platforms/kubernetes/traffic/rollout_state.py",
        (
            "another process's journal is taken for ours",
            'if now and now.get("binaryData") == data:',
            "if now:",
            f"{TRAFFIC}::test_a_journal_is_read_by_the_next_process_and_written_by_one",
        ),
    ),
    *of(
        "platforms/kubernetes/serving/record.py",
        (
            "whose ConfigMap it is does not matter",
            "if found and not is_of_endpoint(found, name):",
            "if found is False:",
            f"{ENDPOINT}::test_an_object_of_somebody_else_is_left_as_it_is",
        ),
        (
            "git's endpoint is a step's",
            "== GIT:",
            '== "":',
            f"{ENDPOINT}::test_an_endpoint_of_git_is_changed_by_no_step",
        ),
    ),
    *of(
        "platforms/kubernetes/serving/endpoint.py",
        (
            "another run's candidate is driven out",
            'if before.run != spec.run and "candidate" in before.arms:',
            "if before.run is None:",
            f"{ENDPOINT}::test_the_candidate_of_another_run_is_not_driven_out",
        ),
        (
            "any run removes an endpoint",
            "        if record is None or record.run != run:",
            "        if record is None:",
            f"{ENDPOINT}::test_only_the_run_in_charge_moves_its_models",
        ),
        (
            "an endpoint changes its backend",
            "if before.backend != self._workload.name:",
            "if before.backend is None:",
            f"{ENDPOINT}::test_an_endpoint_keeps_its_backend",
        ),
    ),
    *of(
        "platforms/kubernetes/serving/reconciler.py",
        (
            "somebody else's Deployment is taken over",
            "if is_of_endpoint(found, name):",
            "if found:",
            f"{ENDPOINT}::test_an_object_that_the_endpoint_needs_and_somebody_has_is_left",
        ),
        (
            "what a controller has made is pruned",
            'if any(reference["uid"] == uid',
            'if not any(reference["uid"] == ""',
            f"{ENDPOINT} apiserver/test_endpoint_objects.py",
        ),
        (
            "a token takes the place of the others",
            '{**found.get("data", {}), name: text}',
            "{name: text}",
            f"{ENDPOINT}::test_a_token_is_made_once_and_beside_those_of_other_endpoints",
        ),
    ),
    *of(
        "registry.py",
        (
            "what can be used anywhere is left out",
            "one.place in (*places, ANYWHERE))",
            "one.place in places)",
            "unit/platforms/test_registry.py",
        ),
        (
            "a default of no place",
            "one.place in (place, ANYWHERE)), None)",
            "one.place == place), None)",
            "unit/platforms/test_place.py",
        ),
        (
            "a wheel takes the name of a backend of ours",
            "if (one.port, one.name) in taken:",
            "if one in taken:",
            "unit/platforms/test_registry.py",
        ),
        (
            "a wheel's backend of an unknown place",
            " or parts[1] not in (*PLACES, ANYWHERE):",
            ":",
            "unit/platforms/test_registry.py",
        ),
    ),
    *of(
        "platforms/place.py",
        (
            "a pod keeps its own registry",
            "(None if in_pod() else here)",
            "here",
            "unit/platforms/test_place.py",
        ),
        (
            "what leads to an endpoint is not where that is",
            "if (follows := PORTS[port].follows) and is_local(follows):",
            "if (follows := PORTS[port].follows) and not is_local(follows):",
            "unit/platforms/test_place.py",
        ),
        (
            "an unknown platform is taken",
            "if named not in PLACES:",
            "if not named:",
            "unit/platforms/test_place.py",
        ),
    ),
    *of(
        "storage/uri.py",
        (
            "a key leads out of its folder",
            '{"", ".", ".."}',
            '{"", "."}',
            "unit/storage/test_uri.py",
        ),
        (
            "control characters in a key",
            ' or "\\\\" in key or CONTROL.search(key):',
            ' or "\\\\" in key:',
            "unit/storage/test_uri.py",
        ),
        (
            "the longest key is refused",
            "> KEY_BYTES:",
            ">= KEY_BYTES:",
            "unit/storage/test_uri.py",
        ),
        (
            "a file of another machine",
            'or host not in ("", "localhost") or not slash',
            "or not slash",
            "unit/storage/test_uri.py",
        ),
    ),
    *of(
        "storage/files.py",
        (
            "half a file stays",
            "draft.unlink(missing_ok=True)",
            "draft.exists()",
            "unit/storage/test_storage.py",
        ),
        (
            "NaN in JSON",
            "allow_nan=False",
            "allow_nan=True",
            "unit/storage/test_storage.py",
        ),
        (
            "a secret that all may read",
            "draft.chmod(0o600)",
            "draft.chmod(0o644)",
            "unit/storage/test_storage.py",
        ),
        (
            "a folder's hash forgets its names",
            "digest.update(os.fsencode(file.relative_to(path)) + b",
            "digest.update(b",
            "unit/storage/test_storage.py",
        ),
        (
            "two hold one lock",
            "fcntl.LOCK_EX",
            "fcntl.LOCK_SH",
            "unit/storage/test_storage.py",
        ),
    ),
    *of(
        "storage/folder.py",
        (
            "a link leads out of the folder",
            "if path.is_symlink() and not _followed(path)",
            "if path.is_symlink() and not path",
            "unit/storage/test_storage.py",
        ),
    ),
    *of(
        "training/checkpoint.py",
        (
            "a damaged checkpoint is read",
            "if matched and hashlib.sha256(data).hexdigest() == matched[2]:",
            "if matched:",
            "unit/training/test_checkpoint.py",
        ),
        (
            "another run's checkpoint is gone on from",
            '["fingerprint"] != self.fingerprint:',
            '["fingerprint"] == "":',
            "unit/training/test_checkpoint.py",
        ),
        (
            "no checkpoint to fall back to",
            "KEPT = 2",
            "KEPT = 1",
            "unit/training/test_checkpoint.py",
        ),
    ),
    *of(
        "tasks/multiclass_metrics.py",
        ("an unknown class costs nothing", ".sum(axis=1) + 1 - truth.sum(axis=1)", ".sum(axis=1)", TASKS),
        ("only the rows' classes are told apart", "2 * both[:, seen] - values", "both[:, seen] - values", TASKS),
    ),
    *of(
        "tasks/regression.py",
        ("one row's error has no bound", '/ self._fact("span"), 1.0)', '/ self._fact("span"), 9.0)', TASKS),
        ("errors are judged on a scale of their own", '"span": other.target', '"span": self.target', TASKS),
    ),
    *of(
        "tasks/task.py",
        ("a probability above one is legal", "((array >= 0) & (array <= 1))", "(array >= 0)", TASKS),
        ("a new group has the first one's mean", "rows[:, None] > 0, sums", "rows[:, None] >= 0, sums", TASKS),
    ),
    *of(
        "rollout/yardstick.py",
        (
            "another label than the models' is taken",
            "(label or target.label, task or target.task) != (target.label, target.task)",
            "False",
            "unit/rollout/test_yardstick.py",
        ),
    ),
    *of(
        "evaluation/gate.py",
        (
            "the gate looks at the estimate",
            'gain["low"] > bound',
            'gain["value"] > bound',
            "unit/evaluation/test_gate.py",
        ),
        (
            "no figure opens the gate",
            "passed = value is not None and",
            "passed = value is None or",
            "unit/evaluation/test_gate.py",
        ),
        (
            "a small slice closes the gate",
            'if not part["small"]]',
            "]",
            "unit/evaluation/test_gate.py",
        ),
        (
            "a bound that is met closes the gate",
            "value <= bound if at_most",
            "value < bound if at_most",
            "unit/evaluation/test_gate.py",
        ),
        (
            "the page of a gate begins with what is met",
            "key=lambda outcome: outcome.passed",
            "key=lambda outcome: not outcome.passed",
            "unit/evaluation/test_gate.py",
        ),
    ),
    *of(
        "reporting/markdown.py",
        (
            "an underscore is emphasis",
            "`*_\\[",
            "`*\\[",
            "unit/reporting/test_markdown.py",
        ),
        (
            "an address that no browser opens is a link",
            "not in SCHEMES",
            "in {''}",
            "unit/reporting/test_markdown.py",
        ),
    ),
    *of(
        "reporting/call_section.py",
        (
            "an address of the cluster is linked to",
            'return "" if Call.of',
            'return "" if not Call.of',
            "unit/reporting/test_call_section.py",
        ),
    ),
    *of(
        "monitoring/drift.py",
        (
            "chance or a trifle is drift",
            "p < spec.level and distances[name] > spec.effect",
            "p < spec.level or distances[name] > spec.effect",
            "unit/monitoring/test_drift.py",
        ),
        (
            "the share that is drift is none",
            "self.share >= self.limit",
            "self.share > self.limit",
            "unit/monitoring/test_drift.py",
        ),
    ),
    *of(
        "monitoring/significance.py",
        (
            "p-values of many columns as of one",
            "p_values[name] * (len(ordered) - place)",
            "p_values[name]",
            "unit/monitoring/test_drift.py",
        ),
        (
            "dependent rows count as more than there are",
            "max(1.0, variance / independent)",
            "variance / independent",
            "unit/monitoring/test_drift.py",
        ),
    ),
    *of(
        "monitoring/skew.py",
        (
            "a skew of a thousandth is none",
            "rtol=RELATIVE",
            "rtol=1e-3",
            "unit/monitoring/test_drift.py",
        ),
        (
            "a value that is missing in both is skew",
            " | absent)",
            ")",
            "unit/monitoring/test_drift.py",
        ),
    ),
    *of(
        "training/fingerprint.py",
        (
            "another seed is the same training",
            '"params": dict(params), "seed": seed}',
            '"params": dict(params)}',
            "unit/training/test_spec.py::test_only_what_changes_the_model_changes_the_fingerprint",
        ),
        (
            "another start is the same training",
            "train = _digest([train, sha256(spec.start_from)])",
            "train = str(train)",
            "unit/training/test_spec.py::test_only_what_changes_the_model_changes_the_fingerprint",
        ),
        (
            "code below the package is no code",
            'origin.parent.rglob("*.py")',
            'origin.parent.glob("*.py")',
            "unit/training/test_spec.py",
        ),
    ),
    *of(
        "tuning/fingerprint.py",
        (
            "another seed is the same study",
            '"seed": spec.seed,',
            "",
            "unit/tuning/test_tuning.py::test_all_that_decides_which_trials_there_are_makes_another_study",
        ),
        (
            "another budget is the same study",
            '"budget": asdict(spec.budget),',
            "",
            "unit/tuning/test_tuning.py::test_all_that_decides_which_trials_there_are_makes_another_study",
        ),
    ),
    *of(
        "kfp/local/cache.py",
        (
            "a result that was changed is taken from the cache",
            "if _content(Path(path)) != known",
            "if not Path(path).exists()",
            "unit/kfp/test_cache.py::test_a_result_whose_file_was_changed_is_made_anew",
        ),
    ),
    *of(  # from here on what the real backends showed: docs/design/backends.md
        "kfp/states.py",
        (
            "backends 1: a run that was well is torn down",
            '"COMPLETE": Progress.GOOD',
            '"COMPLETE": Progress.BAD',
            "unit/kfp/test_states.py",
        ),
    ),
    *of(
        "kfp/recurring.py",
        (
            "backends 2: a schedule that differs stays beside the new one",
            "if one.recurring_run_id != identity:",
            "if False:",
            "local/kfp/test_recurring.py::test_one_that_differs_is_replaced_and_others_stay",
        ),
    ),
    *of(
        "kfp/mounts.py",
        (
            "backends 3: a step does not say that it is no root",
            "run_as_non_root=True",
            "run_as_non_root=False",
            "unit/kfp/test_mounts.py::test_a_step_of_seaway_is_no_root_unless_its_author_says_so",
        ),
    ),
    *of(
        "platforms/kubernetes/install/checkup.py",
        (
            "backends 3: an installation that runs steps as root is well",
            'data.get(AS_NO_ROOT) == "true"',
            'data.get(AS_NO_ROOT) != "true"',
            "apiserver/test_checkup.py::test_steps_that_pod_security_refuses_are_found",
        ),
        (
            "backends 2: nobody asks whether the steps' account may say how they ended",
            '("create", "patch"), "Argo',
            '(), "Argo',
            "apiserver/test_checkup.py::test_an_account_that_kubeflow_cannot_run_steps_as_is_found",
        ),
    ),
    *of(
        "kfp/server.py",
        (
            "backends 5: a backend that is too old is taken",
            "if version < LEAST:",
            "if False:",
            "local/kfp/test_submit.py::test_a_server_that_is_too_old_is_told_before_anything_is_put_there",
        ),
    ),
    *of(
        "kfp/refusals.py",
        (
            "backends 8: one artifact is given to two inputs",
            "if len(keys) > 1:",
            "if len(keys) > 2:",
            "unit/kfp/test_refusals.py::test_one_artifact_for_two_inputs_is_refused",
        ),
        (
            "backends 10: of two exit tasks of one task the first is lost",
            "if len(names) > 1:",
            "if len(names) > 2:",
            "unit/kfp/test_refusals.py::test_an_exit_task_that_the_backend_would_lose_is_refused",
        ),
    ),
    *of(
        "kfp/submit.py",
        (
            "backends 9: --wait does not say which step failed",
            "{failure.reason(found, server)}",
            "",
            "local/kfp/test_submit.py",
        ),
        (
            "backends, dashboard: all runs of a version have one name",
            '" ".join([pipeline.name, *differ])',
            "pipeline.name",
            "local/kfp/test_submit.py::test_runs_are_told_apart_by_what_was_given_and_when",
        ),
    ),
    *of(
        "kfp/versions.py",
        (
            "backends, dashboard: a version is a hash only",
            "*filter(None, [first])",
            "*[]",
            "unit/kfp/test_versions.py::test_a_list_of_versions_reads_what_changed_when_and_the_hash_and_none_of_it_is_in_the_name",
        ),
    ),
    *of(
        "kfp/local/orchestrator.py",
        (
            "backends 10: an exit task runs though its task never started",
            'return not before or before != {"SKIPPED"}',
            "return True",
            "unit/kfp/test_order.py::test_each_part_that_started_is_told_of_once_and_before_what_follows_it",
        ),
    ),
    *of(
        "kfp/local/graph.py",
        (
            "backends 10: an exit task waits for what does not wait for it",
            "if follower in first else",
            "if False else",
            "unit/kfp/test_order.py::test_the_order_is_that_of_the_file_but_for_exit_tasks",
        ),
    ),
    *of(
        "kfp/fuse/groups.py",
        (
            "backends 11: steps that an author puts into one pod stay apart",
            "self.join(node.name for node in members)",
            "pass",
            "unit/kfp/fuse/test_groups.py",
        ),
    ),
    *of(
        "reporting/run_report.py",
        (
            "backends, dashboard: a report does not begin with the reason",
            '"" if run.succeeded else reason, ended,',
            "ended,",
            "unit/reporting/test_run_report.py::test_a_run_that_died_anywhere_begins_with_the_reason_and_shows_what_was_made_before",
        ),
        (
            "backends, dashboard: a part that ended well reads as the end of the run",
            "return bool(self.part) and self.succeeded",
            "return False",
            "unit/reporting/test_run_report.py::test_a_part_that_ended_well_is_not_the_end",
        ),
    ),
    *of(
        "platforms/kubernetes/traffic/seldon.py",
        (
            "backends, Seldon 2: the candidate stays when its pods are missing",
            "self._apply(found, alone)",
            "pass",
            f"{SELDON}::test_an_interrupted_rollout_gets_all_traffic_back_when_the_candidate_has_no_pods",
        ),
        (
            "backends, Seldon 3: a shadow stays one when traffic goes back",
            "unmirrored=tuple(",
            "unmirrored=() and tuple(",
            f"{SELDON}::test_copies_arrive_when_mirroring_returns_and_end_with_it",
        ),
        (
            "backends, Seldon 10: a write returns before its effect",
            "self._await_taken_up(endpoint, weights, TOGGLED_S if toggled else None)",
            "pass",
            f"{SELDON}::test_copies_arrive_when_mirroring_returns_and_end_with_it",
        ),
    ),
    *of(
        "platforms/kubernetes/serving/seldon.py",
        (
            "backends, Seldon 4: gRPC leads to a port where nothing listens",
            ", grpc_port=GRPC_PORT)",
            ")",
            f"{SELDON}::test_both_protocols_lead_to_ports_where_the_server_listens",
        ),
        (
            "backends, Seldon 6: each budget has the pods of both arms",
            'budget(f"{name}-{arm}", _labels(name, arm))',
            'budget(f"{name}-{arm}", {server_pod.WORKLOAD: name})',
            f"{SELDON}::test_every_pod_can_be_evicted_with_two_arms",
        ),
        (
            "backends, Seldon 8: the operator is told neither gateway nor host",
            'if annotations := _route(arms["stable"].hosting):',
            "if annotations := {}:",
            f"{SELDON}::test_the_operator_is_told_the_gateway_and_the_host",
        ),
        (
            "backends, Seldon 9: testers name an arm in vain",
            "if hosting.host and hosting.gateway else []",
            "if False else []",
            f"{SELDON}::test_testers_name_the_arm_that_answers",
        ),
        (
            "backends, Seldon 11: preflight does not know the webhook's rules",
            "(rules, names))",
            "(names,))",
            "apiserver/test_seldon_webhook.py::test_what_it_refuses_preflight_refuses",
        ),
    ),
    *of(
        "platforms/kubernetes/serving/endpoint.py",
        (
            "backends, Seldon 5: the URL without a gateway has another port",
            '"" if workload.port == SERVICE_PORT else',
            '"" if True else',
            f"{SELDON}::test_without_a_gateway_the_url_has_the_port_of_the_service",
        ),
        (
            "backends, all 7: a deploy returns before the route serves",
            "if host or platforms.in_pod():",
            "if False:",
            f"{FAULTS}::test_without_a_gateway_a_deploy_in_a_pod_returns_once_its_node_leads_to_the_model",
        ),
        (
            "backends, all: a candidate without pods is promoted",
            'reconciler.require_pods(record, "candidate")',
            "pass",
            f"{FAULTS}::test_a_candidate_without_pods_is_not_promoted_and_gets_no_traffic",
        ),
    ),
    *of(
        "platforms/kubernetes/serving/readiness.py",
        (
            "backends, all: pods larger than a quota are waited for",
            "if never_fits(message):",
            "if False:",
            f"{FAULTS}::test_a_quota_that_is_too_small_for_a_pod_is_told_at_once_and_stable_stays",
        ),
    ),
    *of(
        "platforms/kubernetes/client/objects.py",
        (
            "backends, Seldon 12: a webhook that hangs is waited for as long as it likes",
            'query = {**(query or {}), "timeout": f"{WRITE_S}s"}',
            "pass",
            f"{SELDON}::test_an_operator_that_is_down_is_told_before_its_webhook_times_out",
        ),
    ),
    *of(
        "approvals/waiting.py",
        (
            "approvals: a refusal goes on",
            "if not decision.approved:",
            "if decision.approved is None:",
            f"{APPROVALS}::test_a_refusal_ends_the_step_with_who_and_why",
        ),
        (
            "approvals: nobody's answer is waited for for ever",
            "if time.monotonic() > deadline:",
            "if False:",
            f"{APPROVALS}::test_without_an_answer_it_is_closed",
        ),
    ),
    *of(
        "platforms/kubernetes/install/approval_policy.py",
        (
            "approvals: one who lacks the verb decides",
            '"expression": f"!variables.changed || {MAY}",',
            '"expression": "true",',
            f"{GUARD}::test_who_lacks_the_verb_cannot_approve_least_of_all_the_step",
        ),
        (
            "approvals: a decision is made in another's name",
            "== request.userInfo.username &&",
            "!= '' &&",
            f"{GUARD}::test_a_decision_has_its_maker_s_own_name_and_one_of_two_words",
        ),
        (
            "approvals: a decision is turned round",
            "\"variables.before == '' || !variables.changed\"",
            '"true"',
            f"{GUARD}::test_a_decision_stays_and_what_was_asked_too",
        ),
        (
            "approvals: a question is made with its answer",
            '"oldObject != null || !variables.changed"',
            '"true"',
            f"{GUARD}::test_a_question_cannot_be_made_with_its_answer",
        ),
    ),
    *of(
        "platforms/kubernetes/jobs/approvals.py",
        (
            "approvals: a step waits where anybody could answer",
            "self._require_guarded(question)",
            "pass",
            "apiserver/test_approvals_unguarded.py::test_without_the_policy_nobody_s_word_is_taken",
        ),
    ),
    *of(
        "notices/telling.py",
        (
            "notices: a receiver is told again",
            "if key in told:",
            "if False:",
            "local/notices/test_receivers.py::test_a_webhook_is_told_once_whatever_is_tried_again",
        ),
        (
            "notices: a refused notice looks sent",
            "if refused:",
            "if False:",
            "local/notices/test_receivers.py::test_one_that_refuses_is_named_the_others_are_told_and_the_next_try_tells_only_it",
        ),
    ),
    *of(
        "notices/redaction.py",
        (
            "notices: a known secret is told",
            "text = text.replace(secret, STRUCK)",
            "pass",
            "unit/notices/test_notice.py::test_a_known_secret_stands_nowhere",
        ),
    ),
    *of(
        "kfp/step_sources.py",
        (
            "arguments: somebody else's component is held to ours",
            "if IMPORTS_SEAWAY.search(text):",
            "if text:",
            f"{ARGUMENTS}::test_somebody_else_s_component_of_the_name_takes_what_it_likes",
        ),
    ),
    *of(
        "kfp/arguments.py",
        (
            "arguments: a branch that is not taken refuses a run",
            "if task.trigger_policy.condition or",
            "if",
            f"{ARGUMENTS}::test_values_that_all_steps_take_are_bound",
        ),
    ),
)
