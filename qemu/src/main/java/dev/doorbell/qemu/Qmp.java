package dev.doorbell.qemu;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// QEMU's machine protocol: one JSON object a line. Events are passed over. **Threads**: safe, one command at a time.
///
/// **Source**: QEMU Machine Protocol Specification, version 0.13.
public final class Qmp {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

  private final ReentrantLock lock = new ReentrantLock();
  private final QemuProcess process;
  private final Link link;
  private final QemuVersion version;

  private Qmp(QemuProcess process, Link link) {
    this.process = process;
    this.link = link;
    link.begin();
    Map<String, Object> greeting = receive(QemuProcess.START);
    link.end();
    if (inside(inside(inside(greeting, "QMP"), "version"), "qemu") instanceof Map<?, ?> v
        && v.get("major") instanceof Integer major
        && v.get("minor") instanceof Integer minor
        && v.get("micro") instanceof Integer micro) {
      version = new QemuVersion(major, minor, micro);
    } else {
      throw link.garbled(() -> QemuProcess.START, "a greeting with a version");
    }
  }

  /// {@return a connection that takes commands}
  ///
  /// @throws QemuTooOld when this QEMU is
  static Qmp greet(QemuProcess process, Link link) {
    Qmp qmp = new Qmp(process, link);
    if (qmp.version.compareTo(QemuVersion.LEAST) < 0) {
      throw new QemuTooOld(process.binary(), qmp.version, QemuVersion.LEAST);
    }
    qmp.execute("qmp_capabilities", Map.of());
    return qmp;
  }

  private static Object inside(Object object, String member) {
    Object found = object instanceof Map<?, ?> map ? map.get(member) : null;
    return found == null ? Map.of() : found;
  }

  public QemuVersion version() {
    return version;
  }

  /// {@return what a command returned: maps, lists, strings, numbers, booleans}
  ///
  /// @throws QemuRefused when QEMU answers with an error
  public Object execute(String command, Map<String, ?> arguments) {
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("execute", command);
    if (!arguments.isEmpty()) {
      request.put("arguments", arguments);
    }
    String line = JSON.writeValueAsString(request);
    lock.lock();
    try {
      link.begin();
      link.send(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)), () -> line);
      while (true) {
        Map<String, Object> answer = receive(line);
        if (answer.containsKey("return")) {
          return inside(answer, "return");
        }
        if (answer.get("error") instanceof Map<?, ?> error) {
          throw new QemuRefused(process.name(), line, String.valueOf(error.get("desc")));
        }
        if (!answer.containsKey("event")) {
          throw link.garbled(() -> line, "a return, an error or an event");
        }
      }
    } finally {
      link.end();
      lock.unlock();
    }
  }

  /// {@return what a command of the human monitor prints}
  public String monitor(String command) {
    return String.valueOf(execute("human-monitor-command", Map.of("command-line", command)));
  }

  private Map<String, Object> receive(String about) {
    link.readLine(() -> about);
    try {
      Map<String, Object> object = JSON.readValue(link.text(), OBJECT);
      if (object != null) {
        return object;
      }
    } catch (JacksonException e) {
      QemuGarbled garbled = link.garbled(() -> about, "a JSON object");
      garbled.addSuppressed(e);
      throw garbled;
    }
    throw link.garbled(() -> about, "a JSON object");
  }
}
