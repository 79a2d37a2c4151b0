// A smart bot made with the platform's own SDK. It prints what happens, one
// JSON object a line, and does what the lines of its input say.
import { createInterface } from 'node:readline'
import { WSClient } from '@wecom/aibot-node-sdk'

const conf = JSON.parse(process.argv[2])
const say = (o) => process.stdout.write(JSON.stringify(o) + '\n')
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const client = new WSClient({ botId: conf.bot, secret: conf.secret, wsUrl: conf.url, heartbeatInterval: 2000, reconnectInterval: 50, maxAuthFailureAttempts: 1, logger: quiet })
const done = (what) => (ack) => say({ what, errcode: ack.errcode, errmsg: ack.errmsg })
const failed = (what) => (e) => say({ what, errcode: e.errcode ?? -999, errmsg: e.errmsg ?? String(e.message ?? e) })
const run = (what, p) => p.then(done(what), failed(what))

client.on('authenticated', () => say({ what: 'authenticated' }))
client.on('disconnected', (why) => say({ what: 'disconnected', errmsg: why }))
client.on('error', (e) => say({ what: 'error', errmsg: e.message }))
client.on('event.disconnected_event', () => say({ what: 'kicked' }))
client.on('event.enter_chat', (f) => run('welcome', client.replyWelcome(f, { msgtype: 'text', text: { content: '你好' } })))
client.on('event.feedback_event', (f) => say({ what: 'feedback', text: f.body.event.feedback_event.id }))
client.on('event.template_card_event', (f) => {
  const card = f.body.event.template_card_event
  say({ what: 'click', text: card.event_key, task: card.task_id })
  run('update', client.updateTemplateCard(f, { ...conf.card, task_id: card.task_id, main_title: { title: '已认领' } }))
})
let last
client.on('message.text', async (f) => {
  last = f
  say({ what: 'text', text: f.body.text.content, user: f.body.from.userid, chat: f.body.chatid ?? '' })
  if (f.body.text.content.includes('流')) {
    await run('stream', client.replyStream(f, 's-' + f.body.msgid, '正在查…', false))
    await run('stream', client.replyStream(f, 's-' + f.body.msgid, '查到了', true))
    await run('stream after its end', client.replyStream(f, 's-' + f.body.msgid, '再改', true))
  }
  if (f.body.text.content.includes('卡')) await run('card', client.replyTemplateCard(f, { ...conf.card, task_id: 'task-' + f.body.msgid }))
})
const fetched = async (f, part) => {
  try {
    const { buffer, filename } = await client.downloadFile(part.url, part.aeskey)
    say({ what: 'media', text: buffer.toString('utf8'), name: filename })
  } catch (e) {
    failed('media')(e)
  }
}
client.on('message.file', (f) => fetched(f, f.body.file))
client.on('message.image', (f) => fetched(f, f.body.image))

createInterface({ input: process.stdin }).on('line', async (line) => {
  const c = JSON.parse(line)
  switch (c.do) {
    case 'send':
      return run('send', client.sendMessage(c.chat, c.body))
    case 'stream':
      return run('stream', client.replyStream(last, c.id, c.text, c.finish ?? false))
    case 'upload':
      try {
        const got = await client.uploadMedia(Buffer.from(c.text.repeat(c.times ?? 1)), { type: c.type, filename: c.name })
        say({ what: 'upload', text: got.media_id, errcode: 0 })
      } catch (e) {
        failed('upload')(e)
      }
      return
    case 'end':
      client.disconnect()
      process.exit(0)
  }
})
client.connect()
