# A peer of 02 to 04: the Elixir tutorials' kind of echo server, a process for each client.
defmodule Echo do
  def start(port, packet) do
    options = [:binary, packet: packet, active: false, reuseaddr: true, nodelay: true, backlog: 1024,
               ip: {127, 0, 0, 1}, buffer: 65_536]
    {:ok, listener} = :gen_tcp.listen(port, options)
    {:ok, port} = :inet.port(listener)
    IO.puts("Listening on 127.0.0.1:#{port}")
    prefix = if packet == :line, do: "ECHO ", else: ""
    accept(listener, prefix)
  end

  defp accept(listener, prefix) do
    {:ok, client} = :gen_tcp.accept(listener)
    handler = spawn(fn -> receive do: (:go -> serve(client, prefix)) end)
    :gen_tcp.controlling_process(client, handler)
    send(handler, :go)
    accept(listener, prefix)
  end

  defp serve(client, prefix) do
    with {:ok, data} <- :gen_tcp.recv(client, 0),
         :ok <- :gen_tcp.send(client, [prefix, data]) do
      serve(client, prefix)
    else
      _ -> :gen_tcp.close(client)
    end
  end
end

{options, _} = OptionParser.parse!(System.argv(), strict: [port: :integer, packet: :string])
Echo.start(options[:port] || 1234, String.to_existing_atom(options[:packet] || "line"))
