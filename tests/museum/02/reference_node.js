// A reference: one event loop for everybody, in Node.
// grade: --required
const net = require("net");

net.createServer({ allowHalfOpen: true }, (socket) => {
  let rest = Buffer.alloc(0);
  socket.on("data", (data) => {
    const replies = [];
    let begin = 0;
    const all = rest.length ? Buffer.concat([rest, data]) : data;
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, begin)) {
      replies.push(Buffer.from("ECHO "), all.subarray(begin, end + 1));
      begin = end + 1;
    }
    rest = all.subarray(begin);
    // What a client does not read is not piled up: we read on when it has.
    if (!socket.write(Buffer.concat(replies))) {
      socket.pause();
      socket.once("drain", () => socket.resume());
    }
  });
  socket.on("end", () => socket.end(rest.length ? Buffer.concat([Buffer.from("ECHO "), rest]) : undefined));
  socket.on("error", () => socket.destroy());
}).listen(Number(process.argv[2]), "127.0.0.1");
