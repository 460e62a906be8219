# The server over HTTP: node and dist/, no shell, no package manager, no root. It writes to /audit and nowhere else.
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM gcr.io/distroless/nodejs22-debian12:nonroot
COPY --from=build /src/dist /app
COPY LICENSE /app/
ENV NODE_ENV=production MDI_MCP_AUDIT_LOG=/audit
USER 65532:65532
VOLUME /audit
EXPOSE 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/main.js", "http", "--host", "0.0.0.0", "--port", "8080"]
