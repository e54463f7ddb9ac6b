// Prints what lambda-warmer and serverless-plugin-warmup hand to the AWS SDK, as a JSON list.

const payloads = []

// The AWS SDK is no dependency of these packages; what would be invoked with it is kept instead.
const service = require.resolve('lambda-warmer/lib/lambda-service')
require.cache[service] = {
  id: service,
  filename: service,
  loaded: true,
  exports: { invoke: async ({ Payload }) => payloads.push(JSON.parse(Payload.toString())) }
}
const warmer = require('lambda-warmer')
const { getConfigsByWarmer } = require('serverless-plugin-warmup/src/config')

const serverless = {
  service: {
    service: 'shop',
    provider: {},
    custom: { warmup: { always: { enabled: true } } },
    getAllFunctions: () => ['api'],
    getFunction: () => ({ name: 'shop-dev-api' })
  },
  classes: { Error }
}

async function main () {
  // What a schedule is told to send, then what the function sends itself.
  const schedule = { warmer: true, concurrency: 3 }
  payloads.push(schedule)
  await warmer(schedule, { log: false })
  const { always } = getConfigsByWarmer(serverless, 'dev')
  payloads.push(...always.functions.map(({ config }) => JSON.parse(config.payload)))
  console.log(JSON.stringify(payloads))
}

main()
