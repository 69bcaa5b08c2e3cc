// Answers a little later, and closes at once when the client has finished.
const net = require("net");

net.createServer({ allowHalfOpen: true }, (socket) => {
  let rest = Buffer.alloc(0);
  socket.on("data", (data) => {
    rest = Buffer.concat([rest, data]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end + 1);
      rest = rest.subarray(end + 1);
      setTimeout(() => socket.destroyed || socket.write(Buffer.concat([Buffer.from("ECHO "), line])), 20);
    }
  });
  socket.on("end", () => socket.destroy());
  socket.on("error", () => {});
}).listen(Number(process.argv[2]), "127.0.0.1");
