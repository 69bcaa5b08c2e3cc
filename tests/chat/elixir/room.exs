# A room of the original's kind, run by Elixir: a newcomer is announced to those already there, and what somebody says
# goes to all, the speaker too. Beyond the original it monitors its members, and forgets those who end.
#
#     elixir --sname room1@localhost room.exs

defmodule Room do
  def start(name) do
    pid = spawn(fn -> loop([]) end)
    Process.register(pid, name)
    pid
  end

  defp loop(members) do
    receive do
      {client, :join, name} ->
        # First, so that a client that leaves as soon as this is heard leaves with its own reason, and not with :noproc.
        Process.monitor(client)
        tell(members, "#{name} has joined the room")
        loop([{client, name} | members])

      {client, :message, text} ->
        case List.keyfind(members, client, 0) do
          {_, name} -> tell(members, "#{name} says: #{text}")
          nil -> :stranger
        end

        loop(members)

      {:DOWN, _, :process, client, reason} ->
        case List.keytake(members, client, 0) do
          {{_, name}, others} ->
            IO.puts("#{name} is gone: #{inspect(reason)}")
            tell(others, "#{name} has left the room")
            loop(others)

          nil ->
            loop(members)
        end

      {:kick, name} ->
        for {client, ^name} <- members, do: Process.exit(client, :kicked)
        loop(members)
    end
  end

  defp tell(members, text) do
    for {client, _} <- members, do: send(client, {self(), :message, text})
  end
end

Room.start(:chatroom)
IO.puts("the room is open")

# Each line typed is Elixir, as in iex; without a keyboard it just stays.
Enum.each(IO.stream(:stdio, :line), &Code.eval_string/1)
Process.sleep(:infinity)
