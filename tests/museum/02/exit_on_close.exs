# Keeps exit_on_close's default: the socket is closed when the client has finished, replies owed or not.
# grade: --required
defmodule Echo do
  def accept(listener) do
    {:ok, socket} = :gen_tcp.accept(listener)
    pid = spawn(fn -> receive do: (:go -> serve(socket)) end)
    :gen_tcp.controlling_process(socket, pid)
    send(pid, :go)
    accept(listener)
  end

  defp serve(socket) do
    case :gen_tcp.recv(socket, 0) do
      {:ok, data} -> serve(socket, data)
      {:error, _} -> :gen_tcp.close(socket)
    end
  end

  # Our own lines, since packet: :line cuts those that are longer than a buffer, and drops the last one.
  defp serve(socket, text) do
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
options = [:binary, active: false, reuseaddr: true, ip: {127, 0, 0, 1}, backlog: 1024]
{:ok, listener} = :gen_tcp.listen(String.to_integer(port), options)
Echo.accept(listener)
