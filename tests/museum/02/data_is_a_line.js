// Takes each "data" event for one line.
const net = require("net");

net.createServer((socket) => {
  socket.on("data", (data) => socket.write(Buffer.concat([Buffer.from("ECHO "), data])));
  socket.on("error", () => {});
}).listen(Number(process.argv[2]), "127.0.0.1");
