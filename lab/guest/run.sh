# Runs in the guest.
cd /tmp
java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED -cp /lab/lab.jar LabProgram \
  >/lab/report.txt 2>/lab/error.txt
echo "java ended with $?" >>/lab/error.txt
