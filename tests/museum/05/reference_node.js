// A reference: a chat room on one event loop, in Node.
// grade: --required
const net = require("net");

const members = new Map();
const maxBacklog = 1 << 20;

function tell(text) {
  for (const member of members.values()) {
    member.write(text + "\n");
    if (member.writableLength > maxBacklog) member.destroy(); // whoever does not read is cut off
  }
}

net.createServer({ allowHalfOpen: true }, (socket) => {
  let name = null;
  let rest = "";
  const leave = () => {
    if (name !== null && members.delete(name)) tell(name + " has left the room");
    name = null;
  };
  socket.setEncoding("utf8");
  socket.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines.map((line) => line.replace(/\r$/, ""))) {
      if (name !== null) tell(name + " says: " + line);
      else if (members.has(line)) socket.write("The name is taken; another one?\n");
      else {
        tell(line + " has joined the room");
        members.set((name = line), socket);
      }
    }
  });
  socket.on("end", () => {
    leave();
    socket.end();
  });
  socket.on("close", leave);
  socket.on("error", () => {});
}).listen(Number(process.argv[2]), "127.0.0.1");
