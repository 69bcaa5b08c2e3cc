# The original's client, and a keyboard: each line typed is Elixir, as in iex, in which `room` is the room.
#
#     elixir --sname michael client.exs room1@host

defmodule Client do
  def join_room(room, name) do
    listener = self()

    client =
      spawn(fn ->
        send(room, {self(), :join, name})
        send(listener, {self(), :asked})
        loop(name, listener)
      end)

    # Else what the caller sends for this client could be faster than the client's own first message.
    receive do
      {^client, :asked} -> client
    end
  end

  def post_message(client, room, text), do: send(room, {client, :message, text})

  # Until this client has heard that: what is done afterwards comes afterwards for everybody.
  def wait(client, text) do
    receive do
      {^client, :heard, ^text} -> :ok
    after
      30_000 -> IO.puts("#{inspect(client)} never heard #{text}")
    end
  end

  defp loop(name, listener) do
    receive do
      {_room, :message, text} ->
        IO.puts("#{name}'s client: #{text}")
        send(listener, {self(), :heard, text})
        loop(name, listener)
    end
  end
end

[node | script] = System.argv()
room = {:chatroom, String.to_atom(node)}
IO.puts("connected: #{Node.connect(elem(room, 1))}")

lines = if script == [], do: IO.stream(:stdio, :line), else: [File.read!(hd(script))]

Enum.reduce(lines, [room: room], fn code, names ->
  {_, names} = Code.eval_string(code, names)
  names
end)
