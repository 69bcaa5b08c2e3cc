// A peer of 02 to 04: what one writes first with Node's net, an event for each piece that has come.
const net = require('node:net');

const option = (name, otherwise) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : process.argv[at + 1];
};
const byLines = option('--packet', 'line') === 'line';

const server = net.createServer({noDelay: true}, (socket) => {
    socket.on('error', () => socket.destroy());
    if (!byLines) {
        socket.pipe(socket);
        return;
    }
    let begun = '';
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
        const lines = (begun + text).split('\n');
        begun = lines.pop();
        for (const line of lines) socket.write('ECHO ' + line + '\n', 'latin1');
    });
});
server.listen({port: Number(option('--port', '1234')), host: '127.0.0.1', backlog: 1024}, () => {
    console.log(`Listening on 127.0.0.1:${server.address().port}`);
});
