# In a model's container: starts what the relay asks for, one process a call, and ends it when the relay is gone.
# Needs a POSIX shell, sleep and kill, and setsid where there is one; `calls`, `in`, `out` and `err` are named
# pipes that others make. The first argument is the folder that the containers share.
cd "$1" || exit 2
umask 0
# What ran before this container was started again has ended with it.
for call in call-*; do
  [ -d "$call" ] && [ ! -e "$call/code" ] && echo 137 >"$call/code"
done
while [ ! -p calls ]; do sleep 0.2; done
exec 3<>calls
session=
command -v setsid >/dev/null 2>&1 && session=setsid
: >ready
while read -r call <&3; do
  (
    cd "$call" || exit
    $session sh ./command <in >out 2>err 3<&- &
    child=$!
    # `end` is made by one who outlives the relay. A process is ended with its group: all that it has started.
    while kill -0 "$child" 2>/dev/null; do
      [ -e end ] && { kill -9 -"$child" || kill -9 "$child"; } 2>/dev/null
      sleep 0.1
    done 3<&- &
    wait "$child" 2>/dev/null
    code=$?
    kill -9 -"$child" 2>/dev/null
    echo "$code" >code.part && mv code.part code
  ) &
done
