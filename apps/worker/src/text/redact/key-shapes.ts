/**
 * Forms of keys that begin with a mark of their service, as the services document them for scanners. To add one: the mark,
 * then its alphabet with the length it has, so that no word can be mistaken for it.
 */
export const keyShapes: readonly RegExp[] = [
  /(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}/g, // access key ids of AWS
  /gh[opsur]_[A-Za-z0-9]{36,255}/g, // GitHub
  /github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}/g,
  /gl(?:pat|dt|rt|cbt|ptt|ft)-[A-Za-z0-9_-]{20,64}/g, // GitLab
  /xox[abeoprs]-[A-Za-z0-9-]{10,250}/g, // Slack
  /xapp-[0-9]-[A-Za-z0-9-]{20,250}/g,
  /[rs]k_(?:live|test)_[A-Za-z0-9]{16,247}/g, // Stripe
  /AIza[A-Za-z0-9_-]{35}/g, // Google
  /ya29\.[A-Za-z0-9_-]{20,2048}/g,
  /SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}/g, // SendGrid
  /npm_[A-Za-z0-9]{36}/g, // registries of packages
  /pypi-AgEI[A-Za-z0-9_-]{50,1000}/g,
  /dop_v1_[a-f0-9]{64}/g, // DigitalOcean
  /hf_[A-Za-z0-9]{34}/g, // Hugging Face
  /shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}/g, // Shopify
  /key-[a-f0-9]{32}/g, // Mailgun
  /[0-9]{8,10}:AA[A-Za-z0-9_-]{33}/g, // bots of Telegram
  /sk-(?:[a-z]{2,8}-)?[A-Za-z0-9_-]{40,200}/g, // keys of interfaces in general
];
