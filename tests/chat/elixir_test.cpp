// Real Elixir nodes: in our room, and we in theirs. Each test has an epmd of its own, so none touches the machine's.

#include "05_chat/erlang/dist/term.hpp"
#include "chat/chat.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include <unistd.h>

namespace chat_tests {
namespace {

using support::Command;
using support::Program;
using testing::Contains;
using testing::ElementsAre;

const std::string cookie = "CHATTESTS";

class Elixir : public testing::Test {
protected:
    void SetUp() override {
        for (const std::string program : {"elixir", "iex", "epmd"}) {
            if (!support::is_installed(program))
                GTEST_SKIP() << program << " is not installed (apt-get install elixir)";
        }
        start_epmd();
    }

    void start_epmd() {
        epmd_.reset();
        epmd_ = std::make_unique<Program>(
            Command{.words = {"epmd", "-address", "127.0.0.1", "-port", std::to_string(epmd_port_)}});
        const auto answers = [this] { return !support::refuses_clients(epmd_port_); };
        if (!eventually(answers)) throw support::Failure("epmd does not answer");
    }
    void kill_epmd() { epmd_.reset(); }
    void signal_epmd(int number) { epmd_->signal(number); }

    std::map<std::string, std::string> environment() const {
        return {{"ERL_EPMD_PORT", std::to_string(epmd_port_)}, {"HOME", testing::TempDir()}, {"LC_ALL", "C.UTF-8"}};
    }
    /// 05_chat as an Erlang node.
    std::unique_ptr<Server> node(const std::string& name, std::vector<std::string> options = {}) const {
        options.insert(options.end(), {"--sname", name, "--cookie", cookie});
        return std::make_unique<Server>(options, Command{.words = {}, .environment = environment()});
    }
    /// 05_chat whose people are in a room of an Erlang node.
    std::unique_ptr<Server> guest_of(const std::string& room, std::vector<std::string> options = {}) const {
        options.insert(options.end(), {"--join", room, "--cookie", cookie});
        return std::make_unique<Server>(options, Command{.words = {}, .environment = environment()});
    }
    /// The words of an `elixir` (or `iex`) that is a node with our cookie.
    Command beam(const std::string& program, const std::string& name, std::vector<std::string> arguments) const {
        std::vector<std::string> words{
            program, "--sname", name, "--cookie", cookie, "--erl", "+S 1 -kernel inet_dist_use_interface {127,0,0,1}"};
        words.insert(words.end(), arguments.begin(), arguments.end());
        return {.words = words, .environment = environment()};
    }
    static std::string script(const std::string& name) { return ELIXIR_SCRIPTS "/" + name; }

    /// A room run by Elixir.
    std::unique_ptr<Terminal> elixir_room() const {
        auto room = std::make_unique<Terminal>(beam("elixir", "room1@localhost", {script("room.exs")}));
        room->wait_for("the room is open\n", 3 * patience());
        return room;
    }
    /// An Elixir node with a keyboard, connected with that node.
    std::unique_ptr<Terminal> elixir_client(const std::string& name, const std::string& node) const {
        auto client = std::make_unique<Terminal>(beam("elixir", name, {script("client.exs"), node}));
        client->wait_for("connected: true\n", 3 * patience());
        return client;
    }

    /// What `node` calls itself to other nodes.
    static std::string full_name(Server& node) {
        const auto line = node.wait_for_line("waits for Erlang nodes as ");
        const auto begin = line.find(" as ") + 4;
        return line.substr(begin, line.find(' ', begin) - begin);
    }

private:
    static std::uint16_t free_port() { return Server().port(); }

    std::uint16_t epmd_port_ = free_port();
    std::unique_ptr<Program> epmd_;
};

/// What each client has heard, in order.
std::map<std::string, std::vector<std::string>> by_client(const std::vector<std::string>& lines) {
    std::map<std::string, std::vector<std::string>> heard;
    for (const auto& line : lines) {
        if (const auto end = line.find("'s client: "); end != line.npos) heard[line.substr(0, end)].push_back(line);
    }
    return heard;
}

TEST_F(Elixir, HearsTheSameFromOurRoomAsFromItsOwn) {
    const auto theirs = elixir_room();
    const auto ours = node("room2");
    const auto session = [&](const std::string& name, const std::string& node) {
        return beam("elixir", name, {script("client.exs"), node, script("session.exs")});
    };
    Program with_theirs(session("theirs", "room1@localhost"));
    Program with_ours(session("ours", full_name(*ours)));
    EXPECT_EQ(with_theirs.wait_exit(6 * patience()), exited(0));
    EXPECT_EQ(with_ours.wait_exit(6 * patience()), exited(0));
    EXPECT_EQ(with_ours.count_lines("never heard"), 0u) << testing::PrintToString(with_ours.lines());
    const auto heard = by_client(with_ours.lines());
    EXPECT_EQ(heard, by_client(with_theirs.lines()));
    EXPECT_EQ(heard.size(), 2u);  // Änna only heard of others
    EXPECT_THAT(heard.at("Michael"),
                ElementsAre("Michael's client: Michael says: Hello!", "Michael's client: Mikey has joined the room",
                            "Michael's client: Mikey says: Hi, Michael!", "Michael's client: Mikey says: charlist",
                            "Michael's client: Mikey says: Grüß Gott", "Michael's client: Mikey says: 日本語 charlist",
                            "Michael's client: Mikey says: 日本語", "Michael's client: Mikey says: Привет, 🌍",
                            "Michael's client: Mikey says: ", "Michael's client: Änna has joined the room",
                            "Michael's client: Änna has left the room", "Michael's client: Michael says: Goodbye!"));
    ours->wait_for_line("ignores a message of somebody who never joined");
}

/// A command that the story shows, as somebody who knows the cookie types it.
std::string with_our_cookie(std::string command) {
    return command.replace(command.find("COOKIE"), 6, cookie);
}

TEST_F(Elixir, JoinsFromIexByTypingWhatTheStorySays) {
    const auto room = node("room1");
    Person mikey(*room, "Mikey");
    const auto command = room->wait_for_line("    iex --sname michael@");
    EXPECT_THAT(command, HasSubstr(" --cookie COOKIE --erl \"-kernel inet_dist_use_interface {127,0,0,1}\""));
    room->wait_for_line("    flush()");
    for (const auto& line : room->lines()) EXPECT_THAT(line, Not(HasSubstr(cookie)));
    Terminal iex({.words = {"sh", "-c", with_our_cookie(command)}, .environment = environment()});
    iex.wait_for("iex(michael@", 3 * patience());
    const auto lines = room->lines();
    for (auto line = std::find(lines.begin(), lines.end(), command) + 1; line->starts_with("    "); ++line) {
        iex.enter(*line);
        if (*line == "    flush()") break;
    }
    EXPECT_EQ(mikey.hear(), "Michael has joined the room");
    EXPECT_EQ(mikey.hear(), "Michael says: Hello!");
    // flush() shows what has come; a person is slow enough for that.
    const auto shows = [&](const std::string& text) {
        return eventually(
            [&] {
                iex.enter("flush()");
                return iex.screen().find('"' + text + '"') != std::string::npos;
            },
            3 * patience());
    };
    EXPECT_TRUE(shows("Michael says: Hello!"));
    mikey.say("Welcome, Michael");
    EXPECT_TRUE(shows("Mikey says: Welcome, Michael"));
    mikey.hear();
    iex.enter("System.halt()");
    EXPECT_EQ(mikey.hear(), "Michael has left the room (node down)");
}

TEST_F(Elixir, FindsANodeThatBehavesAsOneShould) {
    const auto room = node("room1");
    const auto name = full_name(*room);
    const auto atom = ":\"" + name + "\"";
    const auto client = elixir_client("prober", name);
    client->enter("IO.inspect({:ping, Node.ping(" + atom + ")})");
    client->wait_for("{:ping, :pong}\n");
    client->enter("Process.monitor({:nobody, " + atom + "}); receive do m -> IO.inspect({:nobody, elem(m, 4)}) end");
    client->wait_for("{:nobody, :noproc}\n");
    // An atom of 64 characters, and 256 bytes.
    client->enter("Process.monitor({String.to_atom(String.duplicate(\"😀\", 64)), " + atom +
                  "}); receive do m -> IO.inspect({:long, elem(m, 4)}) end");
    client->wait_for("{:long, :noproc}\n");
    client->enter("IO.inspect({:hidden, Node.list(:hidden) == [" + atom + "], Node.list()})");
    client->wait_for("{:hidden, true, []}\n");
    repeat_until_told(*room, "ignores a message for nobody, which is not registered",
                      [&] { client->enter("send({:nobody, " + atom + "}, :hello)"); });
    repeat_until_told(*room, "ignores a message that the room does not know: {what,is,",
                      [&] { client->enter("send(room, {:what, :is, %{this: 1.5, good: [for: 'something']}})"); });
    client->enter("Process.monitor(room)");
    room->signal(SIGKILL);
    client->enter("receive do {:DOWN, _, _, _, why} -> IO.inspect({:down, why}) end");
    client->wait_for("{:down, :noconnection}\n");
}

TEST_F(Elixir, ReadsTheTermsThatWeWrite) {
    std::string smile;
    for (int i = 0; i < 255; ++i) smile += "😀";
    const erlang::Pid pid{"room1@localhost", 7, 8, 9};
    std::string term;
    erlang::put_version(term);
    erlang::put_tuple(term, 6);
    erlang::put_atom(term, smile.substr(0, 63 * 4));
    erlang::put_atom(term, smile.substr(0, 64 * 4));
    erlang::put_atom(term, smile);
    erlang::put_integer(term, -70000);
    erlang::put_binary(term, "Grüß Gott");
    erlang::put_pid(term, pid);
    const std::string path = testing::TempDir() + "term-" + std::to_string(::getpid());
    std::ofstream(path, std::ios::binary) << term;
    const auto read = support::run_to_end(
        {.words = {"elixir", "-e",
                   "{a, b, c, n, text, p} = :erlang.binary_to_term(File.read!(\"" + path +
                       "\")); IO.inspect({for(x <- [a, b, c], do: String.length(to_string(x))), n, text, node(p)})"},
         .environment = environment()},
        3 * patience());
    std::filesystem::remove(path);
    EXPECT_THAT(read.lines, ElementsAre("{[63, 64, 255], -70000, \"Grüß Gott\", :room1@localhost}")) << read.errors;
}

TEST_F(Elixir, IsRefusedWithAnotherCookie) {
    const auto room = node("room1");
    const auto name = full_name(*room);
    const auto stranger = support::run_to_end(
        beam("elixir", "stranger",
             {"-e", "Node.set_cookie(:wrong); IO.inspect Node.connect(:\"" + name + "\"); Node.set_cookie(:" + cookie +
                        "); IO.inspect Node.connect(:\"" + name + "\")"}),
        3 * patience());
    EXPECT_THAT(stranger.lines, ElementsAre("false", "true"));
    room->wait_for_line("is gone: wrong cookie");
    Person michael(*room, "Michael");
}

TEST_F(Elixir, NeedsNoEpmdThatKnowsUs) {
    kill_epmd();
    const auto room = node("room1", {"--dist-host", "127.0.0.1"});
    room->wait_for_line("is not known to epmd");
    const auto port = std::to_string(room->dist_port());
    const auto told_name = full_name(*room);
    Command command{.words = {"elixir", "--sname", "michael", "--cookie", cookie, "--erl",
                              "-start_epmd false -erl_epmd_port " + port + " -dist_listen false", "-e",
                              "IO.inspect Node.ping(:\"" + told_name + "\")"},
                    .environment = environment()};
    const auto ping = support::run_to_end(command, 3 * patience());
    EXPECT_THAT(ping.lines, ElementsAre(":pong")) << ping.errors;
    // One that starts later is told of us.
    start_epmd();
    room->wait_for_line("is known to epmd");
    kill_epmd();
    room->wait_for_line("is not known to epmd: epmd has gone");
    start_epmd();
    room->wait_for_line("is known to epmd", 2);
    // And a second node of our name is told so.
    const auto second = support::run_to_end(
        {.words = {support::path_of("05_chat"), "--port", "0", "--sname", "room1", "--cookie", cookie},
         .environment = environment()});
    EXPECT_EQ(second.exit, exited(1));
    EXPECT_EQ(second.errors, "--sname: epmd has another node room1: take another name, or end that node\n");
}

TEST_F(Elixir, LetsPeopleInWhileItsEpmdIsStopped) {
    signal_epmd(SIGSTOP);
    const auto room = node("room1");
    room->wait_for_line(" does not answer as epmd would");
    Person michael(*room, "Michael");
    signal_epmd(SIGCONT);
    room->wait_for_line("is known to epmd");
    EXPECT_EQ(room->terminate(), exited(0));
}

TEST_F(Elixir, IsMissedWhenItsNodeDiesOrStops) {
    const auto room = node("room1", {"--max-backlog", "65536"});
    Person michael(*room, "Michael");
    const auto killed = elixir_client("killed", full_name(*room));
    const auto stopped = elixir_client("stopped", full_name(*room));
    killed->enter("Client.join_room(room, \"Mikey\")");
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    stopped->enter("Client.join_room(room, \"Anna\")");
    EXPECT_EQ(michael.hear(), "Anna has joined the room");
    killed->process().signal(SIGKILL);
    EXPECT_EQ(michael.hear(), "Mikey has left the room (node down)");
    stopped->process().signal(SIGSTOP);
    // It costs nobody anything, and when it is too far behind it is gone.
    const std::string text(4000, 'x');
    std::string heard;
    for (int line = 0; line < 5000 && !heard.starts_with("Anna"); ++line) {
        michael.say(text);
        heard = michael.hear();
        if (heard.starts_with("Anna")) michael.hear();
    }
    EXPECT_EQ(heard, "Anna has left the room (node down)");
    stopped->process().signal(SIGCONT);
    stopped->enter("IO.inspect(Node.connect(elem(room, 1)))");
    michael.chat("Michael", "So.");
}

// ---- we in a room of theirs ----

TEST_F(Elixir, LetsOurPeopleIntoItsRoom) {
    auto room = elixir_room();
    const auto ours = guest_of("chatroom@room1@localhost", {"--rejoin"});
    Terminal client({.words = {support::path_of("chat_client"), "--name", "Mikey", "--room", "chatroom@room1@localhost",
                               "--cookie", cookie},
                     .environment = environment()});
    client.enter("Is anybody here?");
    client.wait_for("Mikey's client: Mikey says: Is anybody here?\n");
    Person michael(*ours);
    michael.say("Michael");
    EXPECT_EQ(michael.hear(), "You are in the room chatroom as Michael. /help lists the commands.");
    client.wait_for("Mikey's client: Michael has joined the room\n");
    michael.chat("Michael", "Hello, 日本!");
    client.wait_for("Mikey's client: Michael says: Hello, 日本!\n");
    client.enter("Grüß dich!");
    EXPECT_EQ(michael.hear(), "Mikey says: Grüß dich!");
    michael.say("/who");
    EXPECT_EQ(michael.hear(), "This room does not say who is in it.");

    // Anna's process there ends when she leaves, as a client in Elixir would.
    Person anna(*ours);
    anna.say("Anna");
    EXPECT_EQ(michael.hear(), "Anna has joined the room");
    anna.leave();
    EXPECT_EQ(michael.hear(), "Anna has left the room");
    room->wait_for("Anna is gone: :normal\n");
    client.press_ctrl('D');
    EXPECT_EQ(client.wait_exit(), exited(0));
    EXPECT_EQ(michael.hear(), "Mikey has left the room");

    // The room can end a member's process, ours too.
    Person kicked(*ours);
    kicked.say("Kicked");
    EXPECT_EQ(michael.hear(), "Kicked has joined the room");
    room->enter("send(:chatroom, {:kick, \"Kicked\"})");
    const std::string told =
        "You are no longer in the room chatroom: it says kicked. /join chatroom asks to be let in again.";
    kicked.hear_up_to(told);
    EXPECT_EQ(michael.hear(), "Kicked has left the room");
    kicked.say("Can you hear me?");
    EXPECT_THAT(kicked.hear(), StartsWith("You are in no room"));
    kicked.say("/who");
    EXPECT_THAT(kicked.hear(), StartsWith("You are in no room"));
    kicked.say("/join chatroom");
    EXPECT_EQ(kicked.hear(), "You are in the room chatroom as Kicked. /help lists the commands.");
    EXPECT_EQ(michael.hear(), "Kicked has joined the room");
    kicked.say("/who");
    EXPECT_EQ(kicked.hear(), "This room does not say who is in it.");
    kicked.chat("Kicked", "Here again.");
    EXPECT_EQ(michael.hear(), "Kicked says: Here again.");
    ours->wait_for_line("handler 3 finds Kicked removed from the room chatroom: it says kicked");
    kicked.leave();
    EXPECT_EQ(michael.hear(), "Kicked has left the room");
    ours->wait_for_line("handler 3 connection ");

    room->process().signal(SIGKILL);
    EXPECT_EQ(michael.hear(), awaited);
    room = elixir_room();
    EXPECT_EQ(michael.hear(), "You are in the room chatroom as Michael. /help lists the commands.");
    michael.chat("Michael", "Here again.");
}

/// The original's room says nothing to a newcomer, and monitors nobody: whoever asked is in.
TEST_F(Elixir, LetsOurPeopleIntoARoomThatNeverAnswers) {
    Terminal room(beam("elixir", "room1@localhost", {"-e", R"(
        Process.register(self(), :chatroom)
        IO.puts("the room is open")
        loop = fn loop, members ->
          receive do
            {client, :join, name} ->
              for {member, _} <- members, do: send(member, {self(), :message, "#{name} has joined the room"})
              loop.(loop, [{client, name} | members])
            {client, :message, text} ->
              {_, name} = List.keyfind(members, client, 0)
              for {member, _} <- members, do: send(member, {self(), :message, "#{name} says: #{text}"})
              loop.(loop, members)
          end
        end
        loop.(loop, [])
    )"}));
    room.wait_for("the room is open\n", 3 * patience());
    const auto ours = guest_of("chatroom@room1@localhost");
    Person michael(*ours);
    michael.say("Michael");
    EXPECT_EQ(michael.hear(), "You are in the room chatroom as Michael. /help lists the commands.");
    const auto client =
        support::run_to_end({.words = {"sh", "-c",
                                       "echo Hello! | " + support::path_of("chat_client") +
                                           " --name Mikey --room chatroom@room1@localhost --cookie " + cookie},
                             .environment = environment()});
    EXPECT_EQ(client.exit, exited(0)) << client.errors;
    EXPECT_THAT(client.lines, ElementsAre("Mikey's client: Mikey says: Hello!"));
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    EXPECT_EQ(michael.hear(), "Mikey says: Hello!");
    michael.chat("Michael", "Hello, Mikey!");
}

TEST_F(Elixir, TellsOurProgramsWhyTheyCannotJoin) {
    const auto room = elixir_room();
    const auto client = [&](const std::string& where, const std::string& what) {
        return support::run_to_end(
            {.words = {support::path_of("chat_client"), "--name", "Michael", "--room", where, "--cookie", what},
             .environment = environment()});
    };
    const auto wrong = client("chatroom@room1@localhost", "WRONG");
    EXPECT_EQ(wrong.exit, exited(1));
    EXPECT_EQ(wrong.errors,
              "chat_client: cannot join chatroom@room1@localhost: it hangs up in the handshake; is the "
              "cookie the same?\n");
    const auto nobody = client("nobody@room1@localhost", cookie);
    EXPECT_EQ(nobody.exit, exited(1));
    EXPECT_EQ(nobody.errors,
              "chat_client: cannot join nobody@room1@localhost: there is no nobody on room1@localhost\n");
    const auto no_node = client("chatroom@room7@localhost", cookie);
    EXPECT_EQ(no_node.exit, exited(1));
    EXPECT_EQ(no_node.errors,
              "chat_client: cannot join chatroom@room7@localhost: the epmd of localhost knows no node room7\n");
    const auto server = support::run_to_end({.words = {support::path_of("05_chat"), "--port", "0", "--join",
                                                       "chatroom@room1@localhost", "--cookie", "WRONG"},
                                             .environment = environment()});
    EXPECT_EQ(server.exit, exited(1));
    EXPECT_THAT(server.errors, HasSubstr("is the cookie the same?"));
}

}  // namespace
}  // namespace chat_tests
