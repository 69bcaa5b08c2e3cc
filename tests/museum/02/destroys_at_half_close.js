// Destroys the connection when the client has finished: what the kernel has not taken yet is lost.
// grade: --only half_close --only answers_that_wait
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
    socket.write(Buffer.concat(replies));
  });
  socket.on("end", () => {
    if (rest.length) socket.write(Buffer.concat([Buffer.from("ECHO "), rest]));
    socket.destroy();
  });
  socket.on("error", () => socket.destroy());
}).listen(Number(process.argv[2]), "127.0.0.1");
