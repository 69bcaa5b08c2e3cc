#!/usr/bin/env escript
%% -*- erlang -*-
%%! -noinput +S 2
%% Plays scenarios with the real supervisor of Erlang/OTP and prints what it did.
%%
%%   escript otp_supervisor.escript FILE SECONDS
%%
%% FILE holds one Erlang term for each scenario (written by differential_test.cpp). Nothing here waits for a time:
%% children end when they are told to, and a step is over when every supervisor has been asked for its children and all
%% of them live. One BEAM plays all of them.
%%
%% What is printed: "= SEED", then one line for each start, request to stop ("ask"), kill and report, in their order; the
%% answers to requests by the script's line; and how the root ended.
-mode(compile).

-export([init/1, start_worker/1, start_supervisor/1, log/2]).

main([File, Seconds]) ->
    Main = self(),
    register(watcher, spawn_link(fun() -> watch(Main, list_to_integer(Seconds), "the beginning") end)),
    {ok, Scenarios} = file:consult(File),
    ets:new(state, [named_table, public]),           % what the script said, counters, names of pids
    ets:new(trace, [named_table, public, ordered_set]),
    ok = logger:remove_handler(default),
    ok = logger:set_primary_config(level, all),
    ok = logger:add_handler(recorder, ?MODULE, #{}),
    process_flag(trap_exit, true),
    register(tracer, spawn_link(fun tracer/0)),
    erlang:trace_pattern({erlang, exit, 2}, true, []),
    io:format("otp ~s~n", [erlang:system_info(otp_release)]),
    [play(Scenario) || Scenario <- Scenarios],
    io:format("end~n").

%% Restarted by each step; what does not come to its end shall at least say where it stands.
watch(Main, Seconds, Doing) ->
    receive
        {doing, Next} -> watch(Main, Seconds, Next)
    after Seconds * 1000 ->
        io:format("waited ~p s for ~0p~nin ~0p~n", [Seconds, Doing, process_info(Main, current_stacktrace)]),
        halt(1)
    end.

play({scenario, Seed, Root, Steps}) ->
    watcher ! {doing, {seed, Seed, start, Root}},
    ets:delete_all_objects(state),
    ets:delete_all_objects(trace),
    ets:insert(state, {pending, 0}),
    ets:insert(state, {steps, Steps}),
    [say(Statement, idle) || {beforehand, _, Statement} <- Steps],
    RootId = element(2, Root),
    case supervisor:start_link({local, RootId}, ?MODULE, Root) of
        {ok, Pid} ->
            settle(Pid),
            lists:foreach(fun({at, _, Statement}) ->
                                  watcher ! {doing, {seed, Seed, Statement}},
                                  say(Statement, idle),
                                  settle(Pid);
                             (_) -> ok
                          end, Steps),
            watcher ! {doing, {seed, Seed, the_end}},
            io:format("= ~p~n", [Seed]),
            print_trace(),
            case is_process_alive(Pid) of
                true ->
                    io:format("over running~n"),
                    exit(Pid, shutdown),
                    receive {'EXIT', Pid, _} -> ok end;
                false ->
                    receive {'EXIT', Pid, Reason} -> io:format("over ~s~n", [text(Reason)]) end
            end;
        {error, Reason} ->
            %% Up to OTP 25 an 'EXIT' comes, too, and nobody waits for it: from OTP 26 on start_link takes it away.
            io:format("= ~p~n", [Seed]),
            print_trace(),
            io:format("over ~s~n", [text(Reason)])
    end,
    trace_complete().

%% --- Supervisors and their children ---------------------------------------------------------------------------------

init({sup, Id, _, _, Strategy, Intensity, AutoShutdown, Children}) ->
    ets:insert(state, {{name, self()}, Id}),
    erlang:trace(self(), true, [call, strict_monotonic_timestamp, {tracer, whereis(tracer)}]),
    {ok, {#{strategy => Strategy, intensity => Intensity, period => 900000, auto_shutdown => AutoShutdown},
          [spec(Child) || Child <- Children]}}.

spec({worker, Id, Restart, Shutdown, Significant}) ->
    #{id => Id, start => {?MODULE, start_worker, [Id]}, restart => Restart, shutdown => Shutdown,
      significant => Significant};
spec(Sup = {sup, Id, Restart, Significant, _, _, _, _}) ->
    #{id => Id, start => {?MODULE, start_supervisor, [Sup]}, restart => Restart, significant => Significant,
      type => supervisor}.

%% Both run in the supervisor's process.
start_supervisor(Sup) ->
    Id = element(2, Sup),
    Name = begin_start(Id),
    Result = supervisor:start_link({local, Id}, ?MODULE, Sup),
    case Result of
        {ok, Pid} -> ets:insert(state, {{name_of_life, Pid}, Name});
        _ -> ok
    end,
    Result.

start_worker(Id) ->
    Name = begin_start(Id),
    case fate(Id) of
        {error, Reason} -> {error, Reason};
        ignore -> ignore;
        live ->
            Self = self(),
            Pid = spawn_link(fun() -> process_flag(trap_exit, true), Self ! {ready, self()}, worker(Name, Id, Self) end),
            ets:insert(state, [{{life, Name}, Pid, Self}, {{name_of_life, Pid}, Name}]),
            receive {ready, Pid} -> {ok, Pid} end
    end.

begin_start(Id) ->
    N = ets:update_counter(state, {counter, Id}, 1, {{counter, Id}, 0}),
    Name = life(Id, N),
    ets:insert(state, {{life, Name}, none, self()}),
    record({start, sup_name(self()), Name}),
    run_steps(starts, Name, Id, self()),
    Name.

%% Of the next starts of Id: so many fail, and then so many answer ignore.
fate(Id) ->
    case {ets:lookup(state, {fails, Id}), ets:lookup(state, {ignores, Id})} of
        {[{Key, N, Reason}], _} when N > 0 -> ets:insert(state, {Key, N - 1, Reason}), {error, Reason};
        {_, [{Key, N}]} when N > 0 -> ets:insert(state, {Key, N - 1}), ignore;
        _ -> live
    end.

worker(Name, Id, Sup) ->
    receive
        {exit, Reason} -> record_death(), exit(Reason);
        {'EXIT', Sup, shutdown} ->
            run_steps(stops, Name, Id, Sup),
            case ets:lookup(state, {refuses, Id}) of
                [_] -> worker(Name, Id, Sup);
                [] ->
                    Reason = case ets:lookup(state, {stops_with, Id}) of [{_, With}] -> With; [] -> shutdown end,
                    record_death(),
                    exit(Reason)
            end;
        {'EXIT', Sup, Other} -> record_death(), exit(Other)
    end.

record_death() -> ets:insert(state, {{dead, self()}, now_key()}).

%% --- The script -----------------------------------------------------------------------------------------------------

run_steps(When, Name, Id, Sup) ->
    [{_, Steps}] = ets:lookup(state, steps),
    [say(Statement, {busy, Sup}) || {W, Child, Statement} <- Steps, W =:= When, Child =:= Name orelse Child =:= Id].

%% {busy, Sup}: while that supervisor is busy with a start or a stop; what is said must be in its mailbox afterwards.
say({exits, Subject, Reason}, Context) ->
    case living(Subject) of
        undefined -> ok;
        Pid ->
            Ref = monitor(process, Pid),
            case Reason of
                killed -> ets:insert(state, {{dead, Pid}, now_key()}), exit(Pid, kill);
                _ -> Pid ! {exit, Reason}
            end,
            receive {'DOWN', Ref, process, Pid, _} -> ok end,
            in_mailbox(Context, fun({'EXIT', P, _}) -> P =:= Pid; (_) -> false end)
    end;
say({fails, Id, N, Reason}, _) -> ets:insert(state, {{fails, Id}, N, Reason});
say({ignores, Id, N}, _) -> ets:insert(state, {{ignores, Id}, N});
say({stops_with, Id, Reason}, _) -> ets:insert(state, {{stops_with, Id}, Reason});
say({refuses, Id}, _) -> ets:insert(state, {{refuses, Id}});
say({stop, Root}, _) -> case whereis(Root) of undefined -> ok; Pid -> exit(Pid, shutdown) end;
say({request, Line, Sup, Request}, Context) ->
    case whereis(Sup) of
        undefined -> ok;
        Pid ->
            Self = self(),
            ets:update_counter(state, pending, 1),
            Message = message(Request, Pid),
            Caller = spawn(fun() ->
                Id = gen_server:send_request(Pid, Message),
                Self ! {sent, self()},
                Answer = case gen_server:wait_response(Id, infinity) of
                    {reply, Reply} -> answer(Reply);
                    {error, _} -> "error, noproc"
                end,
                ets:insert(trace, {{answer, Line}, Answer}),
                ets:update_counter(state, pending, -1)
            end),
            receive {sent, Caller} -> ok end,
            in_mailbox(Context, fun({'$gen_call', {P, _}, _}) -> P =:= Caller; (_) -> false end)
    end.

message(dynamic, _) -> {start_child, []};
message({start_child, Child}, _) -> {start_child, spec(Child)};
message({terminate_life, Name}, Sup) ->
    case ets:lookup(state, {life, Name}) of
        [{_, none, Sup}] -> % a start that failed: whoever it was, it is dead
            {Pid, Ref} = spawn_monitor(fun() -> ok end),
            receive {'DOWN', Ref, _, _, _} -> {terminate_child, Pid} end;
        [{_, Pid, Sup}] -> {terminate_child, Pid};
        _ -> {terminate_child, Name}
    end;
message(Other, _) -> Other.

in_mailbox(idle, _) -> ok;
in_mailbox({busy, Sup}, Is) ->
    {messages, Messages} = process_info(Sup, messages),
    case lists:any(Is, Messages) of
        true -> ok;
        false -> erlang:yield(), in_mailbox({busy, Sup}, Is)
    end.

%% "a#2", or the youngest life of "a".
living(Subject) ->
    Alive = fun(Name) ->
        case ets:lookup(state, {life, Name}) of
            [{_, Pid, _}] when is_pid(Pid) -> case is_process_alive(Pid) of true -> Pid; false -> undefined end;
            _ -> undefined
        end
    end,
    case ets:lookup(state, {counter, Subject}) of
        [] -> Alive(Subject);
        [{_, N}] -> first([Alive(life(Subject, I)) || I <- lists:seq(N, 1, -1)])
    end.

first([]) -> undefined;
first([undefined | Rest]) -> first(Rest);
first([Found | _]) -> Found.

%% Until nothing is left to happen: all supervisors are idle, all their children live, all requests are answered.
settle(Root) ->
    Before = ets:info(trace, size),
    Quiet = [{pending, 0}] =:= ets:lookup(state, pending) andalso quiet(Root, is_process_alive(Root)),
    case Quiet andalso Before =:= ets:info(trace, size) of
        true -> ok;
        false -> erlang:yield(), settle(Root)
    end.

quiet(_, false) -> true;
quiet(Sup, true) ->
    try supervisor:which_children(Sup) of
        Children -> lists:all(fun({_, undefined, _, _}) -> true;
                                 ({_, restarting, _, _}) -> false;
                                 ({_, Pid, supervisor, _}) -> is_process_alive(Pid) andalso quiet(Pid, true);
                                 ({_, Pid, worker, _}) -> is_process_alive(Pid)
                              end, Children)
    catch exit:_ -> false  % it ended meanwhile: look again
    end.

%% --- What is recorded -----------------------------------------------------------------------------------------------

now_key() -> {erlang:monotonic_time(), erlang:unique_integer([monotonic])}.

record(Event) -> ets:insert(trace, {now_key(), Event}).

%% A handler of logger runs in the process that logs, so the order is the supervisor's own.
log(#{msg := {report, #{label := {supervisor, progress}, report := Report}}}, _) ->
    record({progress, plain(proplists:get_value(supervisor, Report)), id(proplists:get_value(started, Report))});
log(#{msg := {report, #{label := {supervisor, _}, report := Report}}}, _) ->
    Offender = proplists:get_value(offender, Report),
    Count = case proplists:get_value(nb_children, Offender) of
                undefined -> "";
                N -> " x" ++ integer_to_list(N)
            end,
    record({report, plain(proplists:get_value(supervisor, Report)), proplists:get_value(errorContext, Report),
            text(proplists:get_value(reason, Report)), id(Offender), Count});
log(_, _) -> ok.

plain({local, Name}) -> Name;
plain(Other) -> Other.

id(Offender) -> proplists:get_value(id, Offender).

%% exit(Pid, shutdown) and exit(Pid, kill) by a supervisor.
tracer() ->
    receive
        {trace_ts, Sup, call, {erlang, exit, [Pid, Reason]}, Key} ->
            case {ets:lookup(state, {name_of_life, Pid}), ets:lookup(state, {dead, Pid})} of
                {[{_, Name}], Dead} ->
                    %% OTP also asks those who are dead already, which nobody can notice.
                    case Dead of
                        [{_, Death}] when Death < Key -> ok;
                        _ -> ets:insert(trace, {Key, {case Reason of kill -> kill; _ -> ask end, sup_name(Sup), Name}})
                    end;
                _ -> ok
            end,
            tracer();
        _ -> tracer()
    end.

sup_name(Pid) ->
    case ets:lookup(state, {name, Pid}) of
        [{_, Name}] -> Name;
        [] -> nobody
    end.

print_trace() ->
    trace_complete(),
    {Answers, Events} = lists:partition(fun({{answer, _}, _}) -> true; (_) -> false end, ets:tab2list(trace)),
    [io:format("~s~n", [line(Event)]) || {_, Event} <- Events],
    [io:format("answer ~p ~s~n", [Line, Answer]) || {{answer, Line}, Answer} <- lists:sort(Answers)].

trace_complete() ->
    Ref = erlang:trace_delivered(all),
    receive {trace_delivered, all, Ref} -> ok end,
    drained(whereis(tracer)).

%% The tracer has written down everything once its queue is empty and it waits for more.
drained(Tracer) ->
    case process_info(Tracer, [message_queue_len, status]) of
        [{message_queue_len, 0}, {status, waiting}] -> ok;
        _ -> erlang:yield(), drained(Tracer)
    end.

line({report, Sup, Context, Reason, Id, Count}) -> io_lib:format("report ~s ~s ~s ~s~s", [Sup, Context, Reason, Id, Count]);
line(Event) -> lists:join(" ", [atom_to_list(Part) || Part <- tuple_to_list(Event)]).

text(Reason) when is_atom(Reason) -> atom_to_list(Reason);
text(Reason) when is_tuple(Reason) -> ["{", lists:join(", ", [text(Part) || Part <- tuple_to_list(Reason)]), "}"];
text(Reason) -> io_lib:format("~0p", [Reason]).

answer(ok) -> "ok";
answer({ok, undefined}) -> "ok";
answer({ok, Pid}) -> case ets:lookup(state, {name_of_life, Pid}) of
                         [{_, Name}] -> io_lib:format("ok, ~s", [Name]);
                         [] -> "ok, ?"
                     end;
answer({error, {already_started, _}}) -> "error, already_started";
answer({error, {bad_combination, _}}) -> "error, invalid_spec";
answer({error, {Reason, Child}}) when element(1, Child) =:= child -> ["error, start_failed: ", text(Reason)];
answer({error, Known}) when Known =:= not_found; Known =:= running; Known =:= restarting; Known =:= already_present;
                            Known =:= simple_one_for_one -> ["error, ", text(Known)];
answer({error, Reason}) -> ["error, start_failed: ", text(Reason)];
answer([{specs, S}, {active, A}, {supervisors, U}, {workers, W}]) ->
    io_lib:format("specs ~p, active ~p, supervisors ~p, workers ~p", [S, A, U, W]);
answer(Children) when is_list(Children) ->
    ["[", lists:join(", ", [[text(Id), " ", state(Pid)] || {Id, Pid, _, _} <- Children]), "]"].

state(undefined) -> "undefined";
state(restarting) -> "restarting";
state(_) -> "a pid".

life(Id, N) -> list_to_atom(atom_to_list(Id) ++ "#" ++ integer_to_list(N)).
