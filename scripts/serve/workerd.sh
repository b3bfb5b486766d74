#!/bin/sh
# Starts the Workers runtime so that it dies with its parent, where the system supports that (Linux). Otherwise a killed
# server would leave a runtime behind that blocks its port and its database files.
if setpriv --pdeathsig KILL true 2>/dev/null; then
  exec setpriv --pdeathsig KILL "$CAIRN_WORKERD" "$@"
fi
exec "$CAIRN_WORKERD" "$@"
