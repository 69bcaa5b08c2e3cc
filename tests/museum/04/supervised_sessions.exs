# Supervised acceptors and sessions in one process of the system's: right, but only the Erlang machine sees the restarts.
# grade: --required --crash !crash
defmodule Echo do
  def start_link(listener), do: {:ok, spawn_link(fn -> acceptor(listener) end)}

  defp acceptor(listener) do
    {:ok, socket} = :gen_tcp.accept(listener)
    {:ok, pid} = Task.Supervisor.start_child(Sessions, fn -> receive do: (:go -> serve(socket)) end)
    :gen_tcp.controlling_process(socket, pid)
    send(pid, :go)
    acceptor(listener)
  end

  defp serve(socket) do
    case :gen_tcp.recv(socket, 0) do
      {:ok, data} -> serve(socket, data)
      {:error, _} -> :gen_tcp.close(socket)
    end
  end

  # Our own lines, since packet: :line cuts those that are longer than a buffer, and drops the last one.
  defp serve(socket, text) do
    if text == "!crash\n", do: raise("as you wish")
    {lines, rest} = text |> String.split("\n") |> Enum.split(-1)
    :gen_tcp.send(socket, Enum.map(lines, &["ECHO ", &1, "\n"]))

    case :gen_tcp.recv(socket, 0) do
      {:ok, data} ->
        serve(socket, hd(rest) <> data)

      {:error, _} ->
        if rest != [""], do: :gen_tcp.send(socket, ["ECHO ", rest])
        :gen_tcp.close(socket)
    end
  end
end

[port] = System.argv()
options = [:binary, active: false, reuseaddr: true, exit_on_close: false, ip: {127, 0, 0, 1}, backlog: 1024]
{:ok, listener} = :gen_tcp.listen(String.to_integer(port), options)
acceptors = for n <- 1..8, do: %{id: n, start: {Echo, :start_link, [listener]}}
{:ok, _} = Supervisor.start_link([{Task.Supervisor, name: Sessions} | acceptors], strategy: :one_for_one)
Process.sleep(:infinity)
