# Runs in the guest: every line of /lab/steps is a class with its arguments. What was learned goes to /lab/report.txt.
cd /tmp
cp /lab/app/*.jar /tmp/
export CLASSPATH=
for jar in /tmp/*.jar; do CLASSPATH=$CLASSPATH:$jar; done
export CLASSPATH=${CLASSPATH#:}
export LAB_MACHINE=$(cat /lab/machine)
flags="-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto --enable-native-access=ALL-UNNAMED"
echo "lab: $LAB_MACHINE in user space after $(cut -d' ' -f1 /proc/uptime) s" >>/lab/report.txt
while read -r step; do
  began=$(cut -d' ' -f1 /proc/uptime)
  java $flags $step </dev/null >>/lab/report.txt 2>>/lab/error.txt
  status=$?
  took="from $began to $(cut -d' ' -f1 /proc/uptime) s"
  if [ $status -eq 0 ]; then echo "lab: passed $step, $took"; else echo "lab: FAILED $step with $status, $took"; fi >>/lab/report.txt
done </lab/steps
