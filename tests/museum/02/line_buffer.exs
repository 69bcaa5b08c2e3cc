# packet: :line with a buffer of 1460 bytes, which is the default: what is longer arrives in pieces that look like lines.
defmodule Echo do
  def accept(listener) do
    {:ok, socket} = :gen_tcp.accept(listener)
    spawn(fn -> serve(socket) end)
    accept(listener)
  end

  defp serve(socket) do
    case :gen_tcp.recv(socket, 0) do
      {:ok, line} ->
        :gen_tcp.send(socket, ["ECHO ", line])
        serve(socket)

      {:error, _} ->
        :gen_tcp.close(socket)
    end
  end
end

[port] = System.argv()
options = [:binary, packet: :line, buffer: 1460, active: false, reuseaddr: true, ip: {127, 0, 0, 1}, backlog: 1024]
{:ok, listener} = :gen_tcp.listen(String.to_integer(port), options)
Echo.accept(listener)
