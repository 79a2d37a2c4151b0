// A JSON API that nobody here wrote: json-server with an empty collection and
// the marker of its environment.
const jsonServer = require('json-server');
const server = jsonServer.create();
server.use((req, res, next) => { res.setHeader('X-Env', 'interop'); next(); });
server.get('/', (req, res) => res.json({}));
server.use(jsonServer.bodyParser);
server.use(jsonServer.router({ customers: [] }));
const l = server.listen(0, '127.0.0.1', () => console.log(l.address().port));
process.stdin.resume().on('end', () => process.exit(0));
