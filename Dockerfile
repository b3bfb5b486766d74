# The local server alone, for those who want no checkout: `docker build -t cairn .`, then
# `docker run -p 9000:9000 -v cairn:/data cairn`. Everything that is stored is in /data. It prints its credentials once, when
# it makes them; `-e CAIRN_ROOT_ACCESS_KEY_ID=… -e CAIRN_ROOT_SECRET_ACCESS_KEY=… -e CAIRN_MASTER_KEY=…` gives others.
FROM node:24-slim

# workerd asks for the certificates of the system.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*

WORKDIR /cairn
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .

RUN npm run console

# The secrets that the first start makes are kept with the data, or they would go with the container.
RUN mkdir /data && ln -s /data/.dev.vars .dev.vars && chown node:node /data /cairn
USER node
VOLUME /data
EXPOSE 9000
CMD ["node", "scripts/start.ts", "--host", "0.0.0.0", "--port", "9000", "--state", "/data/state"]
