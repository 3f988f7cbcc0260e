import dev.doorbell.pci.Sbdf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// `capture`, `inspect` and `doctor` on the running kernel: what they say must agree with what the kernel says itself.
public final class HostCommands {
  private static final Path GROUPS = Path.of("/sys/kernel/iommu_groups");

  /// In the folder that this and the host's commands run in.
  private static final String CAPTURE = "capture";

  private static final Path KEPT = Path.of("/lab/kept");

  private HostCommands() {}

  /// What a command printed, and how it ended.
  private record Done(int status, String out) {
    JsonNode json() {
      return new ObjectMapper().readTree(out);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Sbdf f = Lab.find(Kind.E1000E).stream().filter(Lab::isAlone).findFirst().orElseThrow();
    Done capture = run("capture", CAPTURE, "--json");
    Lab.check(capture.status() == 0 && capture.json().get("files").asInt() > 50, "capture: %d files".formatted(capture.json().get("files").asInt()));
    Done inspect = reread("inspect", "inspect", "--root", CAPTURE, "--json");
    Lab.check(inspect.status() == 0, "inspect of the capture ends with " + inspect.status());
    groups(inspect.json());
    Done plan = reread("plan", "plan", f.toString(), "--root", CAPTURE, "--json");
    boolean unsafe = Lab.MACHINE.equals("arm64-v2m");
    Lab.check(plan.status() == (unsafe ? 1 : 0), "plan of the capture ends with " + plan.status());
    Done trace = reread("trace", "trace", f.toString(), "--root", CAPTURE, "--vector", "2", "--json");
    Lab.check(trace.status() == (unsafe ? 1 : 0), "trace of the capture ends with " + trace.status());
    Done all = reread("doctor", "doctor", "--root", CAPTURE, "--json");
    doctor(run("doctor", "--json"), all);
    Process tar = new ProcessBuilder("tar", "-cf", KEPT.resolve("capture.tar").toString(), CAPTURE).inheritIO().start();
    Lab.check(tar.waitFor() == 0, "the capture is handed to the host");
    Lab.end();
  }

  /// Runs a command on the capture, and keeps its words and what it said: the host runs it once more on a copy, and compares.
  private static Done reread(String name, String... arguments) throws Exception {
    Done done = run(arguments);
    Files.createDirectories(KEPT);
    Files.writeString(KEPT.resolve(name + ".out"), done.out());
    Files.writeString(KEPT.resolve(name + ".command"), String.join(" ", arguments) + "\n");
    return done;
  }

  private static Done run(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED", "dev.doorbell.cli.Main"));
    command.addAll(List.of(arguments));
    Path out = Files.createTempFile("command", ".out");
    Process p = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).redirectOutput(out.toFile()).start();
    int status = p.waitFor();
    return new Done(status, Files.readString(out));
  }

  /// Groups, their functions and reserved regions, as the kernel has them and as the capture tells them.
  private static void groups(JsonNode inspect) throws IOException {
    TreeMap<Integer, Set<String>> live = new TreeMap<>();
    try (Stream<Path> all = Files.list(GROUPS)) {
      for (Path g : all.toList()) {
        Set<String> functions = new TreeSet<>();
        try (Stream<Path> devices = Files.list(g.resolve("devices"))) {
          devices.map(d -> d.getFileName().toString()).filter(n -> n.matches("[0-9a-f]+:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]")).forEach(functions::add);
        }
        live.put(Integer.parseInt(g.getFileName().toString()), functions);
      }
    }
    live.values().removeIf(Set::isEmpty);
    TreeMap<Integer, Set<String>> told = new TreeMap<>();
    for (JsonNode g : inspect.get("recorded").get("groups")) {
      told.put(g.get("number").asInt(), names(g.get("functions")));
      String regions = Files.readString(GROUPS.resolve(g.get("number").asString()).resolve("reserved_regions"));
      Lab.check(same(g.get("reserved"), regions), "group %s reserves %s".formatted(g.get("number"), regions.strip().replace("\n", ", ")));
    }
    Lab.check(live.equals(told), "capture and inspect have the kernel's %d groups: %s".formatted(live.size(), told));
    Set<Set<String>> derived = new java.util.HashSet<>();
    inspect.get("groups").forEach(g -> derived.add(names(g.get("functions"))));
    // On Arm Linux makes groups as drivers come, and one that comes before its port's does not join it: never more than is derived.
    Lab.check(
        live.values().stream().allMatch(l -> derived.stream().anyMatch(d -> d.containsAll(l))),
        "the kernel's groups lie within those that are derived from firmware: " + derived);
    if (Lab.MACHINE.startsWith("x86")) {
      Lab.check(derived.equals(Set.copyOf(live.values())), "and, made at boot on x86, are the same");
    }
    inspect.get("recorded").get("differences").forEach(d -> Lab.say("difference: " + d.asString()));
  }

  private static Set<String> names(JsonNode functions) {
    Set<String> out = new TreeSet<>();
    functions.forEach(f -> out.add(Sbdf.parse(f.asString()).toString()));
    return out;
  }

  private static boolean same(JsonNode told, String lines) {
    Set<String> kernel = new TreeSet<>();
    for (String l : lines.lines().toList()) {
      String[] w = l.strip().split("\\s+");
      kernel.add("%x-%x".formatted(Long.parseUnsignedLong(w[0].substring(2), 16), Long.parseUnsignedLong(w[1].substring(2), 16)));
    }
    Set<String> ours = new TreeSet<>();
    for (JsonNode r : told) {
      ours.add("%x-%x".formatted(Long.parseUnsignedLong(r.get("start").asString().substring(2), 16), Long.parseUnsignedLong(r.get("end").asString().substring(2), 16)));
    }
    return kernel.equals(ours);
  }

  /// A function that the kernel assigned in the other steps must not be called impossible; and a capture is judged as its host was.
  private static void doctor(Done live, Done captured) {
    Lab.say("doctor: " + live.json().get("verdict").asString());
    for (JsonNode f : live.json().get("findings")) {
      Lab.say("doctor: %s %s: %s".formatted(f.get("severity").asString(), f.get("id").asString(), f.get("message").asString()));
    }
    for (JsonNode f : live.json().get("functions")) {
      Lab.say("doctor: %s %s: %s".formatted(f.get("sbdf").asString(), f.get("answer").asString(), f.get("because").asString()));
    }
    for (Kind kind : Kind.values()) {
      for (Sbdf f : find(kind)) {
        String answer = answer(live.json(), f);
        boolean shared = !Lab.isAlone(f);
        boolean unsafe = Lab.MACHINE.equals("arm64-v2m");
        Lab.check(shared || unsafe || !answer.equals("no"), "doctor calls %s %s: %s".formatted(kind, f, answer));
        Lab.check(answer.equals(answer(captured.json(), f)), "doctor says the same of %s in the capture".formatted(f));
      }
    }
  }

  private static List<Sbdf> find(Kind kind) {
    try {
      return Lab.find(kind);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static String answer(JsonNode doctor, Sbdf f) {
    for (JsonNode n : doctor.get("functions")) {
      if (n.get("sbdf").asString().equals(f.toString())) {
        return n.get("answer").asString();
      }
    }
    return "not answered";
  }
}
