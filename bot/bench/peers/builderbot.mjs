// The bench's form on BuilderBot with its Meta provider and its in-memory database, written as its documentation shows.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { addKeyword, createBot, createFlow, createProvider, MemoryDB } = require('@builderbot/bot')
const { MetaProvider } = require('@builderbot/provider-meta')

// The provider has Graph's address built in: every request of its client is sent to ours instead.
const graph = process.env.GRAPH_URL
require('axios').interceptors.request.use((request) => {
    request.url = request.url.replace('https://graph.facebook.com', graph)
    return request
})

const questions = [
    '[q1] ¿Cómo te llamas?',
    '[q2] ¿Cómo se llama la empresa?',
    '[q3] ¿Qué necesitas?',
    '[q4] ¿Qué presupuesto tienes?',
    '[q5] ¿En qué ciudad?',
    '[q6] ¿Para cuándo?',
]
const form = questions
    .reduce(
        (flow, question, at) =>
            flow.addAnswer(question, { capture: true }, async (ctx, { state }) => {
                await state.update({ [at]: ctx.body })
            }),
        addKeyword(['hola'])
    )
    .addAnswer('[done] ¡Gracias!')

const provider = createProvider(MetaProvider, {
    jwtToken: 'bench-token',
    numberId: process.env.NUMBER,
    verifyToken: 'bench-verify',
    version: process.env.GRAPH_VERSION,
})
if (process.env.OPEN_QUEUE) {
    // As shipped it does one thing (a message in, a message out) every 100 ms. There is no option for it.
    Object.assign(provider.queue.options, { concurrent: 1000, interval: 0 })
}
const { httpServer } = await createBot({ flow: createFlow([form]), database: new MemoryDB(), provider })
httpServer(Number(process.env.PORT))
