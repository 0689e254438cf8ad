// The peer that bench/provider.py measures Parvis against: one client, everything in memory.
import Provider from 'oidc-provider';
const [port, secret, back] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'bench', client_secret: secret, redirect_uris: [back], response_types: ['code'],
              grant_types: ['authorization_code'] }],
  pkce: { required: () => true },
  cookies: { keys: [secret] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, given_name: 'Camille' }) }),
});
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { params, prompt } = await provider.interactionDetails(ctx.req, ctx.res);
  const accountId = ctx.get('x-account');
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope('openid');
  const result = { login: { accountId }, consent: { grantId: await grant.save() } };
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
});
provider.listen(Number(port), '127.0.0.1');
