# A peer of 05: a room in Elixir. The room is a process that sends each line to its members; a process for each member
# waits for both sides, its socket and the room.
defmodule Room do
  def start(port) do
    options = [:binary, packet: :line, active: false, reuseaddr: true, nodelay: true, backlog: 1024,
               ip: {127, 0, 0, 1}, buffer: 65_536]
    {:ok, listener} = :gen_tcp.listen(port, options)
    {:ok, port} = :inet.port(listener)
    room = spawn(fn -> room([]) end)
    IO.puts("Listening on 127.0.0.1:#{port}")
    accept(listener, room)
  end

  defp accept(listener, room) do
    {:ok, client} = :gen_tcp.accept(listener)
    member = spawn(fn -> receive do: (:go -> welcome(client, room)) end)
    :gen_tcp.controlling_process(client, member)
    send(member, :go)
    accept(listener, room)
  end

  defp room(members) do
    receive do
      {:join, member, name} ->
        tell(members, [name, " has joined the room\r\n"])
        send(member, {:line, ["You are in the room lobby as ", name, ".\r\n"]})
        room([member | members])

      {:say, name, text} ->
        tell(members, [name, " says: ", text, "\r\n"])
        room(members)

      {:leave, member, name} ->
        members = List.delete(members, member)
        tell(members, [name, " has left the room\r\n"])
        room(members)
    end
  end

  defp tell(members, words) do
    line = IO.iodata_to_binary(words)
    for member <- members, do: send(member, {:line, line})
  end

  defp welcome(client, room) do
    :gen_tcp.send(client, "Welcome! What is your name?\r\n")
    {:ok, name} = :gen_tcp.recv(client, 0)
    name = String.trim(name)
    send(room, {:join, self(), name})
    :inet.setopts(client, active: :once)
    member(client, room, name)
  end

  defp member(client, room, name) do
    receive do
      {:tcp, ^client, text} ->
        send(room, {:say, name, String.trim_trailing(text)})
        :inet.setopts(client, active: :once)
        member(client, room, name)

      {:line, line} ->
        :gen_tcp.send(client, line)
        member(client, room, name)

      {:tcp_closed, ^client} ->
        send(room, {:leave, self(), name})
    end
  end
end

{options, _} = OptionParser.parse!(System.argv(), strict: [port: :integer])
Room.start(options[:port] || 1234)
