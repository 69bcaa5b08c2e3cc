// Reads text: what is not UTF-8 becomes a replacement character.
const net = require("net");

net.createServer({ allowHalfOpen: true }, (socket) => {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) socket.write("ECHO " + line + "\n");
  });
  socket.on("end", () => socket.end(rest ? "ECHO " + rest : ""));
  socket.on("error", () => {});
}).listen(Number(process.argv[2]), "127.0.0.1");
