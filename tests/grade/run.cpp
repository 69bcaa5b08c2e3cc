#include "grade/run.hpp"

#include "grade/bytes.hpp"

namespace grade {

namespace {

/// The same numbers for the same step, whichever others are done before.
std::mt19937_64 random_for(const Step& step, unsigned long seed) {
    std::seed_seq mixed(step.name.begin(), step.name.end());
    std::mt19937_64 random(mixed);
    random.discard(seed % 1000);
    return std::mt19937_64(random() + seed);
}

/// A server that ends although nobody has asked it to is wrong, even if the step got what it wanted.
void expect_alive(const Step& step, Server& server) {
    if (step.needs == Step::Needs::our_process || !server.is_ours()) return;
    server.settle();
    if (server.is_running()) return;
    if (const auto why = server.gone_to_background(); !why.empty()) throw CannotRun(why);
    throw Wrong("that the server goes on", "it has ended: " + server.ending(),
                "One client's doing must not end the server.");
}

void note_end_of_server(const Step& step, Outcome& outcome, Server& server) {
    try {
        // A server that is about to die of it gets the time to say so.
        if (server.is_started()) server.settle();
    } catch (const NotReached&) {  // what was wrong stands
    }
    if (step.needs == Step::Needs::nothing) outcome.ending = server.ending();
    outcome.last_words = server.last_words();
}

Outcome try_step(const Step& step, Trial trial, milliseconds step_limit, TimeLimit& limit) {
    Outcome outcome;
    const auto begin = Clock::now();
    trial.server.forget_silence();
    try {
        // Not where it has ended by itself in between: the step is to find nobody there.
        if (trial.server.is_ours() && !trial.server.is_started()) trial.server.start();
        limit.begin_step(step_limit.count() > 0 ? step_limit : trial.server.patience().step());
        step.run(trial);
        expect_alive(step, trial.server);
        outcome.verdict = Outcome::Verdict::passed;
    } catch (const Wrong& wrong) {
        outcome.verdict = Outcome::Verdict::failed;
        outcome.wrong = wrong;
    } catch (const NotPossible& reason) {
        outcome.verdict = Outcome::Verdict::not_possible;
        outcome.reason = reason.what();
    } catch (const NotReached& reason) {
        outcome.verdict = Outcome::Verdict::not_reached;
        outcome.reason = reason.what();
    }
    limit.end_step();
    if (outcome.wrong && trial.server.is_ours()) note_end_of_server(step, outcome, trial.server);
    outcome.took = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
    return outcome;
}

void learn(const Step& step, Trial trial, TimeLimit& limit) {
    limit.begin_step(trial.server.patience().step());
    try {
        step.learn(trial);
    } catch (const Wrong&) {  // then the others fail for it, too
    } catch (const NotPossible&) {
    } catch (const NotReached&) {
    }
    limit.end_step();
}

}  // namespace

void do_steps(Run& run, Server& server, const RunOptions& options, TimeLimit& limit, Report& report) {
    report.begins(run, server);
    OwnWords own_words;
    bool go_on = true;
    for (auto& [step, outcome] : run.steps) {
        if (!go_on) {
            report.ends(run, *step, outcome, server);
            continue;
        }
        if (run.over = limit.run_is_over(); !run.over.empty()) {
            outcome.reason = run.over;
            outcome.verdict = Outcome::Verdict::not_reached;
            report.ends(run, *step, outcome, server);
            continue;
        }
        report.begins(*step);
        if (step->needs == Step::Needs::our_process && !server.is_ours()) {
            outcome.verdict = Outcome::Verdict::not_possible;
            outcome.reason = "needs a server that the grader has started: grade STAGE -- COMMAND";
        } else {
            auto random = random_for(*step, run.seed);
            const Trial trial{server, random, options.crash, own_words};
            outcome = try_step(*step, trial, options.step_limit, limit);
            if (outcome.wrong && options.keep_going && step->learn != nullptr) learn(*step, trial, limit);
        }
        report.ends(run, *step, outcome, server);
        if (outcome.verdict == Outcome::Verdict::failed && run.decides(*step)) server.note_failure();
        const bool went_wrong =
            outcome.verdict == Outcome::Verdict::failed || outcome.verdict == Outcome::Verdict::not_reached;
        if ((went_wrong || step->needs == Step::Needs::our_process) && server.is_ours()) server.stop();
        if (went_wrong && run.decides(*step) && !options.keep_going && limit.run_is_over().empty()) go_on = false;
    }
    report.ends(run);
}

}  // namespace grade
