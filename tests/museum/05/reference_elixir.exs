# A reference: a process that owns the room, and one for each member, in Elixir.
# grade: --required
defmodule Room do
  def loop(members) do
    receive do
      {pid, :join, name} ->
        if Map.has_key?(members, name) do
          send(pid, {:joined, false})
          loop(members)
        else
          tell(members, [name, " has joined the room"])
          send(pid, {:joined, true})
          loop(Map.put(members, name, pid))
        end

      {:say, name, text} ->
        tell(members, [name, " says: ", text])
        loop(members)

      {:leave, name} ->
        members = Map.delete(members, name)
        tell(members, [name, " has left the room"])
        loop(members)
    end
  end

  defp tell(members, text), do: for({_, pid} <- members, do: send(pid, {:message, text}))
end

defmodule Door do
  def accept(listener, room) do
    {:ok, socket} = :gen_tcp.accept(listener)
    pid = spawn(fn -> receive do: (:go -> session(socket, room)) end)
    :gen_tcp.controlling_process(socket, pid)
    send(pid, :go)
    accept(listener, room)
  end

  defp session(socket, room) do
    :inet.setopts(socket, active: true)
    enter(socket, room, "")
  end

  defp enter(socket, room, text) do
    case String.split(text, "\n", parts: 2) do
      [line, rest] ->
        name = String.trim(line)
        send(room, {self(), :join, name})
        joined = receive do: ({:joined, joined} -> joined)
        if joined, do: serve(socket, room, name, rest), else: refuse(socket, room, rest)

      _ ->
        receive do
          {:tcp, _, data} -> enter(socket, room, text <> data)
          {:tcp_closed, _} -> :ok
          {:tcp_error, _, _} -> :ok
        end
    end
  end

  defp refuse(socket, room, rest) do
    :gen_tcp.send(socket, "The name is taken; another one?\n")
    enter(socket, room, rest)
  end

  defp serve(socket, room, name, text) do
    {lines, [rest]} = text |> String.split("\n") |> Enum.split(-1)
    for line <- lines, do: send(room, {:say, name, String.trim_trailing(line, "\r")})

    receive do
      {:tcp, _, data} -> serve(socket, room, name, rest <> data)
      {:tcp_closed, _} -> send(room, {:leave, name})
      {:tcp_error, _, _} -> send(room, {:leave, name})
      {:message, text} -> deliver(socket, room, name, rest, text)
    end
  end

  # Whoever does not read for so long is cut off.
  defp deliver(socket, room, name, rest, text) do
    case :gen_tcp.send(socket, [text, "\n"]) do
      :ok ->
        serve(socket, room, name, rest)

      {:error, _} ->
        :gen_tcp.close(socket)
        send(room, {:leave, name})
    end
  end
end

[port] = System.argv()
room = spawn(fn -> Room.loop(%{}) end)

options =
  [:binary, packet: :raw, active: false, reuseaddr: true, ip: {127, 0, 0, 1}, backlog: 1024] ++
    [send_timeout: 1000, send_timeout_close: true]

{:ok, listener} = :gen_tcp.listen(String.to_integer(port), options)
Door.accept(listener, room)
