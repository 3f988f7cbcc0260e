package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "QEMU missing, too old, dying, answering garbage or hanging: a typed error, and nothing left running")
@Timeout(120)
class BadQemuTest {
  /// Ends a hang; longer than a loaded machine needs to start a small program.
  private static final Duration SOON = Duration.ofSeconds(3);

  private Set<Long> before = Set.of();

  @TempDir Path folder;

  @BeforeEach
  void note() {
    before = descendants();
  }

  @AfterEach
  void nothingLeft() throws IOException {
    nothingRuns();
    assertEquals(List.of(), workplaces(), "folders left behind");
  }

  private void nothingRuns() {
    Set<Long> left = descendants();
    left.removeAll(before);
    assertEquals(Set.of(), left, "processes left running");
  }

  private static Set<Long> descendants() {
    return ProcessHandle.current()
        .descendants()
        .map(ProcessHandle::pid)
        .collect(Collectors.toSet());
  }

  private static List<Path> workplaces() throws IOException {
    if (!Files.isDirectory(Path.of("/dev/shm"))) {
      return List.of();
    }
    long own = ProcessHandle.current().pid();
    try (Stream<Path> files = Files.list(Path.of("/dev/shm"))) {
      return files
          .filter(f -> f.getFileName().toString().startsWith("doorbell-qemu-" + own + "-"))
          .toList();
    }
  }

  @Test
  @DisplayName("missing: the message names the program and Debian's package")
  void missing() {
    QemuMissing e =
        assertThrows(
            QemuMissing.class,
            () -> QemuBinary.find("qemu-system-aarch64", null, folder.toString()));
    assertTrue(e.getMessage().contains("qemu-system-aarch64"), e.getMessage());
    assertTrue(e.advice().contains("qemu-system-arm"), e.advice());
    assertThrows(QemuMissing.class, () -> QemuBinary.find("qemu-system-aarch64", null, null));
    // A machine with an IOMMU needs QEMU 10, and there it is no longer in qemu-system-misc.
    QemuMissing riscv =
        assertThrows(
            QemuMissing.class,
            () -> QemuBinary.find("qemu-system-riscv64", null, folder.toString()));
    assertTrue(riscv.advice().contains("apt-get install qemu-system-riscv)"), riscv.advice());
    QemuMissing named =
        assertThrows(
            QemuMissing.class,
            () -> QemuBinary.find("qemu-system-aarch64", folder + "/none", "/usr/bin"));
    assertTrue(named.getMessage().contains(folder + "/none"), named.getMessage());
    assertThrows(
        QemuMissing.class, () -> QemuBinary.find("qemu-system-aarch64", "a\0b", "/usr/bin"));
    assertThrows(
        QemuMissing.class, () -> QemuBinary.find("qemu-system-aarch64", folder.toString(), null));
  }

  @Test
  @DisplayName("several: a list is taken in order, and one that is missing among them is named")
  void several() throws IOException {
    QemuBinary a = FakeQemu.shell(Files.createDirectory(folder.resolve("a")), "exit 0");
    QemuBinary b = FakeQemu.shell(Files.createDirectory(folder.resolve("b")), "exit 0");
    assertEquals(List.of(a, b), QemuBinary.find("qemu-system-aarch64", a + ", " + b, null));
    assertEquals(
        List.of(a),
        QemuBinary.find("qemu-system-aarch64", null, "/nowhere:" + folder.resolve("a")));
  }

  @Test
  @DisplayName("ends at once: status and what it printed are told")
  void endsAtOnce() throws IOException {
    QemuBinary fake = FakeQemu.shell(folder, "echo the machine is on fire >&2; exit 7");
    QemuDied e = assertThrows(QemuDied.class, () -> Qemus.start(fake, Qemus.PATIENCE));
    assertTrue(e.getMessage().contains("ended with status 7"), e.getMessage());
    assertTrue(e.getMessage().contains("the machine is on fire"), e.getMessage());
  }

  @Test
  @DisplayName("never connects: timed out, and killed")
  void neverConnects() throws IOException {
    QemuBinary fake = FakeQemu.shell(folder, "exec sleep 600");
    QemuTimedOut e = assertThrows(QemuTimedOut.class, () -> Qemus.start(fake, SOON));
    assertTrue(e.getMessage().contains("(start)"), e.getMessage());
  }

  @Test
  @DisplayName("too old to know its arguments: told by what --version says, with what it printed")
  void tooOldToStart() throws IOException {
    QemuBinary fake =
        FakeQemu.shell(folder, "echo 'QEMU emulator version 2.11.1(Debian 1:2.11)'; exit 1");
    QemuTooOld e = assertThrows(QemuTooOld.class, () -> Qemus.start(fake, Qemus.PATIENCE));
    assertTrue(e.getMessage().contains("version 2.11.1, and 7.2.0 is needed"), e.getMessage());
    assertEquals(1, e.getSuppressed().length);
    assertTrue(e.advice().contains("package qemu-system-arm,"), e.advice());
  }

  @Test
  @DisplayName(
      "a program that starts QEMU as its child: the child ends with it, however it is ended")
  void children() throws Exception {
    Path pids = folder.resolve("pids");
    QemuBinary hangs = FakeQemu.shell(folder, "sleep 600 & echo $! >>'%s'; wait".formatted(pids));
    assertThrows(QemuTimedOut.class, () -> Qemus.start(hangs, SOON));
    QemuBinary leaves =
        FakeQemu.shell(
            folder,
            "[ \"$1\" = --version ] || { sleep 600 & echo $! >>'%s'; }; exit 3".formatted(pids));
    assertThrows(QemuDied.class, () -> Qemus.start(leaves, Qemus.PATIENCE));
    for (String pid : Files.readAllLines(pids)) {
      Optional<ProcessHandle> child = ProcessHandle.of(Long.parseLong(pid));
      if (child.isPresent()) {
        child.get().onExit().get(60, TimeUnit.SECONDS);
      }
    }
    assertEquals(2, Files.readAllLines(pids).size());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "no-json,QemuGarbled,<html>",
    "deep,QemuGarbled,[[[[",
    "no-version,QemuGarbled,version",
    "old,QemuTooOld,6.2.22",
    "endless,QemuGarbled,xxxx",
    "word,QemuGarbled,HELLO",
    "no-number,QemuGarbled,0x12zz",
    "long-number,QemuGarbled,0x1111",
    "empty,QemuGarbled,readl",
    "bad-irq,QemuGarbled,IRQ raise x",
    "endless-qtest,QemuGarbled,xxxx",
    "half-line,QemuTimedOut,came only: OK 0xbad",
    "hang-up,QemuDied,readl 0x8000004",
  })
  @DisplayName("answers wrongly")
  void answersWrongly(String way, String type, String told) throws IOException {
    QemuBinary fake = FakeQemu.script(folder, way);
    List<QemuProcess> started = new ArrayList<>();
    QemuException e =
        assertThrows(
            QemuException.class,
            () -> {
              started.add(Qemus.start(fake, way.equals("half-line") ? SOON : Qemus.PATIENCE));
              started.getFirst().qtest().read(0x800_0004L, 4);
            });
    // The error itself ends the program, whether or not its holder comes to closing it.
    nothingRuns();
    started.forEach(QemuProcess::close);
    assertEquals(type, e.getClass().getSimpleName(), e::getMessage);
    assertTrue(e.getMessage().contains(told), e.getMessage());
  }

  @Test
  @DisplayName(
      "a machine that only a later QEMU has: too old, with both versions, and what the older one said beside it")
  void tooOldForTheMachine() {
    QemuBinary binary = Qemus.orSkip();
    Assumptions.assumeFalse(
        binary.version().orElseThrow().isAtLeast(9, 1), "this QEMU has every machine");
    QemuTooOld e =
        assertThrows(
            QemuTooOld.class,
            () -> QemuMachine.start(binary, Board.GICV3_STAGE2, Devices.of("edu")));
    assertTrue(e.getMessage().contains("9.1.0 is needed"), e.getMessage());
    assertTrue(e.getMessage().contains(binary.version().get().toString()), e.getMessage());
    assertTrue(
        e.getSuppressed()[0].getMessage().contains("unsupported machine type"),
        e.getSuppressed()[0]::toString);
  }

  @Test
  @DisplayName("a version is what --version tells, and none where it tells none")
  void versions() throws IOException {
    QemuBinary told =
        FakeQemu.shell(folder, "echo 'QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)'");
    assertEquals(Optional.of(new QemuVersion(10, 0, 2)), told.version());
    QemuBinary silent =
        FakeQemu.shell(Files.createDirectory(folder.resolve("silent")), "echo version 1");
    assertEquals(Optional.empty(), silent.version());
    assertEquals(Optional.empty(), new QemuBinary(folder.resolve("no such file")).version());
  }

  @Test
  @DisplayName(
      "the real one, gone while its machine is described: that is told, not the folder that went with it")
  void goneWhileDescribed() throws Exception {
    try (QemuProcess qemu = Qemus.virt()) {
      qemu.handle()
          .descendants()
          .filter(p -> p.info().command().orElse("").contains("qemu-system"))
          .forEach(ProcessHandle::destroyForcibly);
      qemu.handle().onExit().get(60, TimeUnit.SECONDS);
      QemuDied e = assertThrows(QemuDied.class, () -> new MachineSysroot(qemu).close());
      assertTrue(e.getMessage().contains("status 137"), e.getMessage());
    }
  }

  @Test
  @DisplayName("slow: an answer that comes byte by byte is taken")
  void late() throws IOException {
    try (QemuProcess qemu = Qemus.start(FakeQemu.script(folder, "late"), Qemus.PATIENCE)) {
      assertEquals(7, qemu.qtest().read(0x800_0004L, 4));
    }
  }

  @Test
  @DisplayName("slow without end: bytes that come do not buy time, and the line sent is told")
  void neverReady() throws IOException {
    try (QemuProcess qemu =
        Qemus.start(FakeQemu.script(folder, "never-ready"), Duration.ofSeconds(10))) {
      QemuTimedOut e = assertThrows(QemuTimedOut.class, () -> qemu.qtest().read(0x800_0004L, 4));
      assertTrue(e.getMessage().contains("readl 0x8000004"), e.getMessage());
      nothingRuns();
    }
  }

  @Test
  @DisplayName(
      "once the real one runs its folder is empty: no other process finds its sockets or its memory there")
  void namesGone() throws IOException {
    try (QemuProcess qemu = Qemus.virt()) {
      Path own = qemu.folder();
      assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(own)));
      assertEquals(Set.of(), names(own));
      qemu.ram().write64(Qemus.RAM.start() + 0x100_0000L, 0x1234);
      assertEquals(0x1234, qemu.qtest().read(Qemus.RAM.start() + 0x100_0000L, 8));
    }
  }

  @Test
  @DisplayName("the folder of sockets and memory is for its owner alone, and goes")
  void privateFolder() throws IOException {
    Path own;
    try (Workplace place = Workplace.open(List.of(folder), 1)) {
      own = place.folder();
      assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(own)));
      assertEquals(Set.of("qtest", "qmp"), names(own));
      place.connected();
      assertEquals(Set.of(), names(own));
    }
    assertFalse(Files.exists(own));
  }

  private static Set<String> names(Path in) throws IOException {
    try (Stream<Path> files = Files.list(in)) {
      return files.map(f -> f.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  @Test
  @DisplayName("no room for memory: every place is named with what it has, and nothing is made")
  void noRoom() throws IOException {
    Path missing = folder.resolve("missing");
    QemuUnstartable e =
        assertThrows(
            QemuUnstartable.class, () -> Workplace.open(List.of(missing, folder), Long.MAX_VALUE));
    assertTrue(e.getMessage().contains(Long.MAX_VALUE + " bytes are needed"), e.getMessage());
    assertTrue(e.getMessage().contains(missing + " is no folder"), e.getMessage());
    assertTrue(e.getMessage().contains(folder + " has room for"), e.getMessage());
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(), files.toList());
    }
    try (Workplace second = Workplace.open(List.of(missing, folder), 1)) {
      assertEquals(folder, second.folder().getParent());
    }
  }

  @Test
  @DisplayName("connects and says nothing: timed out")
  void silent() throws IOException {
    QemuBinary fake = FakeQemu.script(folder, "silent");
    assertThrows(QemuTimedOut.class, () -> Qemus.start(fake, SOON));
  }

  @Test
  @DisplayName(
      "the real one, killed while it works: the line sent last is told, and every later call fails too")
  void killed() {
    try (QemuProcess qemu = Qemus.virt()) {
      qemu.handle()
          .descendants()
          .filter(p -> p.info().command().orElse("").contains("qemu-system"))
          .forEach(ProcessHandle::destroyForcibly);
      QemuDied e =
          assertThrows(
              QemuDied.class,
              () -> {
                for (int i = 0; i < 1_000_000; i++) {
                  qemu.qtest().write(0x800_0000L, 0x10, 4);
                }
              });
      assertTrue(e.getMessage().contains("writel 0x8000000 0x10"), e.getMessage());
      assertTrue(e.getMessage().contains("status 137"), e.getMessage());
      assertThrows(QemuDied.class, () -> qemu.qtest().read(0x800_0000L, 4));
      assertThrows(QemuDied.class, () -> qemu.reset());
    }
  }

  @Test
  @DisplayName("the real one, which a malformed command ends: what it said about it is told")
  void aborted() {
    try (QemuProcess qemu = Qemus.virt()) {
      QemuDied e = assertThrows(QemuDied.class, () -> qemu.qtest().command("readl"));
      assertTrue(e.getMessage().contains("'readl'"), e.getMessage());
      assertTrue(e.getMessage().contains("assertion"), e.getMessage());
    }
  }

  @Test
  @DisplayName(
      "the real one, stopped in its tracks: timed out with the line sent last, and killed all the same")
  void stopped() throws Exception {
    try (QemuProcess qemu = Qemus.start(Qemus.orSkip(), Duration.ofSeconds(6))) {
      long pid =
          qemu.handle()
              .descendants()
              .filter(p -> p.info().command().orElse("").contains("qemu-system"))
              .findFirst()
              .orElseThrow()
              .pid();
      assertEquals(0, new ProcessBuilder("kill", "-STOP", Long.toString(pid)).start().waitFor());
      QemuTimedOut e = assertThrows(QemuTimedOut.class, () -> qemu.qtest().read(0x808_0008L, 8));
      assertTrue(e.getMessage().contains("readq 0x8080008"), e.getMessage());
      nothingRuns();
    }
  }

  @Test
  @DisplayName("a caller that is interrupted: an error that says so, and the interrupt is kept")
  void interrupted() {
    try (QemuProcess qemu = Qemus.virt()) {
      Thread.currentThread().interrupt();
      QemuDied e = assertThrows(QemuDied.class, () -> qemu.qtest().read(0x808_0008L, 8));
      assertTrue(Thread.interrupted());
      assertTrue(e.getMessage().contains("interrupted"), e.getMessage());
    }
  }

  @Test
  @DisplayName("closed, and used all the same: an error; closing twice is nothing")
  void usedAfterClose() {
    QemuProcess qemu = Qemus.virt();
    qemu.close();
    qemu.close();
    assertThrows(QemuDied.class, () -> qemu.qtest().read(0, 4));
    assertThrows(IllegalStateException.class, () -> qemu.ram().read(Qemus.RAM.start(), 4));
  }
}
