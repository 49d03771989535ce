import { admin, region, tlsRegion } from './keystone.mjs'
import { KeystoneClient } from './keystone-client.mjs'

export const swiftUser = { name: 'swift', password: 'swiftpass', projectName: 'service' }

const people = [
  { name: 'demo', password: 'demopass', projectName: 'demo', role: 'member' },
  { name: 'alice', password: 'alicepass', projectName: 'wharf', role: 'member' },
  { name: 'harold', password: 'haroldpass', projectName: 'quay', role: 'member', domainName: 'Harbour' },
  { name: 'reader', password: 'readerpass', projectName: 'demo', role: 'reader' },
  { name: 'cinder', password: 'cinderpass', projectName: 'service', role: 'service' },
]

/** Fills Keystone with users, projects, a catalog, an application credential and a trust; says what there is. */
export async function makeTenants(urls) {
  const keystone = await KeystoneClient.signIn(urls.keystone, admin)
  await makeCatalog(keystone, urls)
  await makePerson(keystone, { ...swiftUser, role: 'admin' })
  const users = { admin: await makePerson(keystone, { ...admin, role: 'admin' }) }
  for (const person of people) users[person.name] = await makePerson(keystone, person)
  for (const user of Object.values(users)) user.storageUrl = `${urls.swift}/v1/AUTH_${user.projectId}`

  const demo = await KeystoneClient.signIn(urls.keystone, users.demo)
  return {
    users,
    applicationCredential: await makeApplicationCredential(demo, users.demo),
    trust: await makeTrust(demo, users.demo, users.alice),
  }
}

async function makeCatalog(keystone, urls) {
  for (const id of [region, tlsRegion]) await ensureRegion(keystone, id)
  const identity = await keystone.ensure('services', { name: 'keystone', type: 'identity' })
  const swift = await keystone.ensure('services', { name: 'swift', type: 'object-store' })
  const present = (await keystone.get('/endpoints')).endpoints
  const places = [
    [identity, region, urls.keystone, urls.keystone],
    [identity, tlsRegion, urls.keystoneTls, urls.keystoneTls],
    [swift, region, `${urls.swift}/v1/AUTH_%(tenant_id)s`, urls.swift],
    [swift, tlsRegion, `${urls.swiftTls}/v1/AUTH_%(tenant_id)s`, urls.swiftTls],
  ]
  for (const [service, regionId, url, adminUrl] of places) {
    for (const kind of ['public', 'internal', 'admin']) {
      const same = (one) =>
        one.service_id === service.id && one.region_id === regionId && one.interface === kind
      if (present.some(same)) continue
      const endpoint = { service_id: service.id, region_id: regionId, interface: kind }
      await keystone.post('/endpoints', { endpoint: { ...endpoint, url: kind === 'admin' ? adminUrl : url } })
    }
  }
}

async function ensureRegion(keystone, id) {
  const { regions } = await keystone.get('/regions')
  if (!regions.some((one) => one.id === id)) await keystone.post('/regions', { region: { id } })
}

async function makePerson(keystone, person) {
  const { domainName = 'Default', name, password, projectName } = person
  const domain =
    domainName === 'Default' ? { id: 'default' } : await keystone.ensure('domains', { name: domainName })
  const project = await keystone.ensure('projects', { name: projectName, domain_id: domain.id })
  const user = await keystone.ensure('users', { name, password, domain_id: domain.id })
  const role = await keystone.ensure('roles', { name: person.role })
  await keystone.put(`/projects/${project.id}/users/${user.id}/roles/${role.id}`)
  return {
    name,
    password,
    id: user.id,
    domainId: domain.id,
    domainName,
    projectName,
    projectId: project.id,
    role: person.role,
  }
}

async function makeApplicationCredential(keystone, user) {
  const secret = 'application-secret'
  const path = `/users/${user.id}/application_credentials`
  const present = (await keystone.get(path)).application_credentials.find((one) => one.name === 'backup')
  const made =
    present ??
    (await keystone.post(path, { application_credential: { name: 'backup', secret } })).application_credential
  return {
    id: made.id,
    name: made.name,
    secret,
    userId: user.id,
    userName: user.name,
    projectId: user.projectId,
  }
}

async function makeTrust(keystone, trustor, trustee) {
  const trust = {
    trustor_user_id: trustor.id,
    trustee_user_id: trustee.id,
    project_id: trustor.projectId,
    impersonation: true,
    roles: [{ name: 'member' }],
  }
  const { trusts } = await keystone.get(`/OS-TRUST/trusts?trustor_user_id=${trustor.id}`)
  const made = trusts[0] ?? (await keystone.post('/OS-TRUST/trusts', { trust })).trust
  return { id: made.id, trustor: trustor.name, trustee: trustee.name, projectId: trustor.projectId }
}
