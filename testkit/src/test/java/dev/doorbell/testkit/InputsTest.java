package dev.doorbell.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

@DisplayName("Shared, OutsideTool, SecondSource: what tests read from outside")
class InputsTest {
  @Test
  @DisplayName(
      "what is absent from the shared folder skips the test with the path that was looked for")
  void absentSharedSkips(@TempDir Path folder) throws Exception {
    String before = System.getProperty("doorbell.shared", "");
    System.setProperty("doorbell.shared", folder.toString());
    try {
      TestAbortedException skipped =
          assertThrows(TestAbortedException.class, () -> Shared.require("captures"));
      assertTrue(
          String.valueOf(skipped.getMessage()).contains(folder.resolve("captures").toString()));
      Files.createDirectory(folder.resolve("captures"));
      assertEquals(folder.resolve("captures"), Shared.require("captures"));
    } finally {
      System.setProperty("doorbell.shared", before);
    }
  }

  @Test
  @DisplayName("an outside program gives its status and both outputs; a missing one skips")
  void runsOutsidePrograms(@TempDir Path folder) throws Exception {
    OutsideTool.Result result =
        OutsideTool.require("sh").run(folder, "-c", "echo out; echo err >&2; exit 3");
    assertEquals(new OutsideTool.Result(3, "out\n", "err\n"), result);
    assertThrows(TestAbortedException.class, () -> OutsideTool.require("no-such-program-at-all"));
  }

  @Test
  @DisplayName("a second-source table names its publication and has three words a line")
  void readsSecondSource() {
    SecondSource table =
        SecondSource.parse(
            "# Some header, v6.12\n# name first last\nV 0 0\nConfig 3 1  # three bits\nAddr >=51 6\n");
    assertEquals("Some header, v6.12", table.publication());
    assertEquals(
        List.of(
            new SecondSource.Row("V", 0, 0),
            new SecondSource.Row("Config", 3, 1),
            new SecondSource.Row("Addr", 51, 6, true)),
        table.rows());
    assertThrows(IllegalArgumentException.class, () -> SecondSource.parse("V 0 0\n"));
    assertThrows(IllegalArgumentException.class, () -> SecondSource.parse("# X\nV 0\n"));
  }

  @Test
  @DisplayName("the project's root holds the root pom.xml")
  void findsTheRoot() {
    assertTrue(Files.isRegularFile(ProjectRoot.path().resolve("core/pom.xml")));
  }
}
