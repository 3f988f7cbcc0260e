package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The script `doorbell` in a checkout of its own, with a Maven and a JDK that only write down that they were called.
class LauncherTest {
  private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();

  @TempDir Path folder;
  private Path here;

  @BeforeEach
  void checkoutWithBlanksInItsName() throws IOException {
    here = Files.createDirectories(folder.resolve("a check out"));
    Files.createDirectories(here.resolve("build"));
    copy("doorbell");
    copy("build/find-jdk.sh");
    Files.writeString(here.resolve("pom.xml"), "<project/>");
    Files.setLastModifiedTime(
        here.resolve("pom.xml"), FileTime.from(Instant.now().minusSeconds(60)));
    script(
        "bin/mvn",
        """
        echo called >>"$FOLDER/mvn.calls"
        sleep "${MVN_SLEEPS:-0}"
        [ -z "${MVN_FAILS:-}" ] || { echo '[ERROR] no such symbol'; exit 1; }
        mkdir -p cli/target/quick/lib
        echo lib >cli/target/quick/lib/some.jar
        echo app >cli/target/quick/doorbell-cli-0.jar
        """);
    script("jdk/bin/javac", "exit 0");
    script(
        "jdk/bin/java", "for word in \"$@\"; do echo \"<$word>\"; done; exit \"${JAVA_EXITS:-0}\"");
    Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"25.0.3\"\n");
  }

  @Test
  void buildsOnceAndHandsTheArgumentsOn() throws Exception {
    Outcome first = run(Map.of(), "plan", "two words", "");
    Outcome second = run(Map.of(), "plan");

    assertEquals(0, first.status);
    assertContains(first.err, "building, once");
    assertContains(first.err, "built");
    String last = "<dev.doorbell.cli.Main>\n<plan>\n<two words>\n<>\n";
    assertTrue(first.out.endsWith(last), first.out);
    // What the virtual machine itself has to say is no part of the answer.
    assertContains(first.out, "<-XX:+DisplayVMOutputToStderr>");
    assertEquals("", second.err);
    assertEquals(1, calls());
  }

  @Test
  void twoFirstCallsBuildOnce() throws Exception {
    Process one = start(Map.of("MVN_SLEEPS", "1"), "one", "plan");
    Process two = start(Map.of("MVN_SLEEPS", "1"), "two", "plan");

    assertEquals(0, await(one, "one").status);
    assertEquals(0, await(two, "two").status);
    assertEquals(1, calls());
  }

  @Test
  void buildsAgainWhenASourceIsNewer() throws Exception {
    run(Map.of(), "plan");
    Files.setLastModifiedTime(here.resolve("pom.xml"), FileTime.from(Instant.now().plusSeconds(5)));

    assertContains(run(Map.of(), "plan").err, "built");
    assertEquals(2, calls());
  }

  @Test
  void theCommandsOwnStatusIsPassedOn() throws Exception {
    run(Map.of(), "plan");

    assertEquals(1, run(Map.of("JAVA_EXITS", "1"), "plan").status);
    assertEquals(2, run(Map.of("JAVA_EXITS", "2"), "plan").status);
  }

  @Test
  void aBuildThatFailsNamesItsLogAndIsNoVerdict() throws Exception {
    Outcome outcome = run(Map.of("MVN_FAILS", "yes"), "plan");

    assertEquals(3, outcome.status);
    assertContains(outcome.err, "build.log");
    assertContains(outcome.err, "no such symbol");
    assertEquals("", outcome.out);
    assertEquals(0, run(Map.of(), "plan").status);
  }

  @Test
  void aStepThatFailsIsNoVerdict() throws Exception {
    script("bin/mvn", "exit 0");

    Outcome outcome = run(Map.of(), "plan");

    assertEquals(3, outcome.status);
    assertContains(outcome.err, "could not be made ready to run");
  }

  @Test
  void aCheckoutThatCannotBeWrittenIsNoVerdict() throws Exception {
    Files.writeString(here.resolve(".cache"), "a file where the folder belongs");

    Outcome outcome = run(Map.of(), "plan");

    assertEquals(2, outcome.status);
    assertContains(outcome.err, "a check out cannot be written");
  }

  @Test
  void namesTheJdkThatIsTooOld() throws Exception {
    Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"25.0.2\"\n");

    Outcome outcome = run(Map.of(), "plan");

    assertEquals(2, outcome.status);
    assertContains(outcome.err, "25.0.3");
    assertContains(outcome.err, folder.resolve("jdk").toString());
  }

  @Test
  void isFoundThroughALinkFromAnotherFolder() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("linked"), here.resolve("doorbell"));
    Process process = start(link, Map.of(), "linked", "plan");

    assertContains(await(process, "linked").out, "<-Ddoorbell.home=" + here.toRealPath() + ">");
  }

  private record Outcome(int status, String out, String err) {}

  private Outcome run(Map<String, String> environment, String... arguments) throws Exception {
    return await(start(environment, "run", arguments), "run");
  }

  private Process start(Map<String, String> environment, String name, String... arguments)
      throws IOException {
    return start(here.resolve("doorbell"), environment, name, arguments);
  }

  private Process start(
      Path doorbell, Map<String, String> environment, String name, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of("/bin/sh", doorbell.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("PATH", folder.resolve("bin") + ":/usr/bin:/bin");
    builder.environment().put("DOORBELL_JAVA_HOME", folder.resolve("jdk").toString());
    builder.environment().put("FOLDER", folder.toString());
    builder.environment().putAll(environment);
    builder.redirectOutput(folder.resolve(name + ".out").toFile());
    builder.redirectError(folder.resolve(name + ".err").toFile());
    return builder.start();
  }

  private Outcome await(Process process, String name) throws Exception {
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Outcome(
        process.exitValue(),
        Files.readString(folder.resolve(name + ".out")),
        Files.readString(folder.resolve(name + ".err")));
  }

  private static void assertContains(String text, String part) {
    assertTrue(text.contains(part), text);
  }

  private int calls() throws IOException {
    return Files.readAllLines(folder.resolve("mvn.calls")).size();
  }

  private void copy(String file) throws IOException {
    Files.copy(CHECKOUT.resolve(file), here.resolve(file));
  }

  private void script(String name, String body) throws IOException {
    Path script = folder.resolve(name);
    Files.createDirectories(script.getParent());
    Files.writeString(script, "#!/bin/sh\n" + body + "\n");
    assertTrue(script.toFile().setExecutable(true));
  }
}
