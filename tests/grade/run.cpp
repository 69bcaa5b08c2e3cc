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
    throw Wrong("that the server goes on", "it has ended: " + server.ending(),
                "One client's doing must not end the server.");
}

Outcome try_step(const Step& step, Trial trial) {
    Outcome outcome;
    const auto begin = Clock::now();
    try {
        step.run(trial);
        expect_alive(step, trial.server);
        outcome.verdict = Outcome::Verdict::passed;
    } catch (const Wrong& wrong) {
        outcome.verdict = Outcome::Verdict::failed;
        outcome.wrong = wrong;
        if (trial.server.is_ours()) {
            // A server that is about to die of it gets the time to say so.
            if (trial.server.is_started()) trial.server.settle();
            if (step.needs == Step::Needs::nothing) outcome.ending = trial.server.ending();
            outcome.last_words = trial.server.last_words();
        }
    } catch (const NotPossible& reason) {
        outcome.verdict = Outcome::Verdict::not_possible;
        outcome.reason = reason.what();
    }
    outcome.took = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
    return outcome;
}

}  // namespace

void do_steps(Run& run, Server& server, const RunOptions& options, Report& report) {
    report.begins(run, server);
    bool go_on = true;
    for (auto& [step, outcome] : run.steps) {
        if (!go_on) {
            report.ends(run, *step, outcome, server);
            continue;
        }
        report.begins(*step);
        if (step->needs == Step::Needs::our_process && !server.is_ours()) {
            outcome.verdict = Outcome::Verdict::not_possible;
            outcome.reason = "needs a server that the grader has started: grade STAGE -- COMMAND";
        } else {
            // Not where it has ended by itself in between: the step is to find nobody there.
            if (server.is_ours() && !server.is_started()) server.start();
            auto random = random_for(*step, run.seed);
            outcome = try_step(*step, {server, random, options.crash});
        }
        report.ends(run, *step, outcome, server);
        const bool may_be_broken =
            outcome.verdict == Outcome::Verdict::failed || step->needs == Step::Needs::our_process;
        if (may_be_broken && server.is_ours()) server.stop();
        if (outcome.verdict == Outcome::Verdict::failed) {
            if (run.decides(*step) && !options.keep_going) go_on = false;
        }
    }
    report.ends(run);
}

}  // namespace grade
