// Exits at SIGTERM, with answers unsent: they are in the program still, for a client that reads slowly.
// grade: --strict --only drain
const net = require("net");

process.on("SIGTERM", () => process.exit(0));
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  let rest = "";
  socket.setEncoding("latin1");
  socket.on("error", () => {});
  socket.on("data", (data) => {
    const lines = (rest + data).split("\n");
    rest = lines.pop();
    socket.write(lines.map((line) => `ECHO ${line}\n`).join(""), "latin1");
  });
  socket.on("end", () => socket.end(rest ? `ECHO ${rest}` : "", "latin1"));
});
server.listen(Number(process.argv[2]), "127.0.0.1");
