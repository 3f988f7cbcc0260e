package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.hw.amdvi.AmdViDomains;
import dev.doorbell.hw.amdvi.AmdViDriver;
import dev.doorbell.hw.amdvi.AmdViFeatures;
import dev.doorbell.hw.amdvi.AmdViModel;
import dev.doorbell.hw.amdvi.AmdViRegisters;
import dev.doorbell.hw.amdvi.AmdViSettings;
import dev.doorbell.hw.lapic.LapicDriver;
import dev.doorbell.hw.lapic.LapicHardware;
import dev.doorbell.hw.lapic.LapicModel;
import dev.doorbell.irq.InterruptPosting;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.PostedDescriptor;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.PostingUnsupported;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ForwardingMemory;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("48882 2.2.5.2 and 2.7: AMD's driver posts interrupts to guests")
class AmdViPostingTest {
  private static final List<Long> IDS = List.of(0L, 2L, 4L, 0x8100_0006L);
  private static final MsiSource SOURCE = new MsiSource("0000:01:00.0", 0x100);
  private static final MsiSource OTHER = new MsiSource("0000:02:00.0", 0x200);
  private static final long RAM = 0x1000_0000L;
  private static final long BYTES = 0x1000_0000L;
  private static final int UNUSED = 0xf2;

  /// An IOMMU with its driver and four CPUs, and what their doorbells were told.
  private static final class Bench {
    final PlainMemory memory = new PlainMemory(RAM, BYTES);
    final CountedFrames frames = new CountedFrames(memory, RAM, BYTES / 2);
    final LapicModel cpus = new LapicModel(IDS);
    final List<Long> doorbells = new ArrayList<>();
    final AmdViModel model;
    final AmdViDriver driver;
    final MsiController controller;

    Bench(boolean pairs, AmdViFeatures features) {
      model =
          new AmdViModel(
              features,
              memory,
              new ApicPort() {
                @Override
                public boolean send(long destination, int command, boolean wide) {
                  return cpus.send(destination, command, wide);
                }

                @Override
                public boolean doorbell(long apicId) {
                  assertTrue(cpus.doorbell(apicId), "APIC id " + apicId);
                  synchronized (doorbells) {
                    return doorbells.add(apicId);
                  }
                }
              },
              _ -> {});
      LapicDriver lapics =
          LapicDriver.open(
              new LapicHardware("lapic@0xfee00000", IDS, Optional.of(cpus), Optional.of(cpus)));
      driver =
          AmdViDriver.open(
              "amd-vi@0xfed80000",
              new ModelRegisters(model),
              pairs ? memory : new ForwardingMemory(memory),
              frames,
              AmdViSettings.of(new AmdViDomains())
                  .with(AmdViSettings.Use.POSTING, true)
                  .with(AmdViSettings.Use.X2APIC, true));
      controller = lapics.behind(driver);
    }

    BusOutcome ring(VectorBlock block, int vector) {
      return model.message(
          SOURCE.deviceId(), block.doorbell(vector), block.data(vector), Integer.BYTES);
    }

    List<Integer> collect() {
      List<Integer> out = new ArrayList<>();
      controller.collect((_, cpu) -> out.add(cpu));
      return out;
    }

    InterruptPosting posting() {
      return controller.posting().orElseThrow();
    }
  }

  private static void taken(PostedDescriptor guest, int... vectors) {
    long[] expected = new long[PostedDescriptor.WORDS];
    for (int v : vectors) {
      expected[v / 64] |= 1L << v % 64;
    }
    long[] into = new long[PostedDescriptor.WORDS];
    assertEquals(vectors.length, guest.take(into));
    assertArrayEquals(expected, into);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "a running guest's processor is told each time, one that does not run by the log, and it moves without a command to the IOMMU")
  void life(boolean pairs) {
    Bench b = new Bench(pairs, AmdViFeatures.all());
    VectorBlock block = b.controller.allocate(SOURCE, 3, false);
    PostedDescriptor guest = b.posting().create();
    for (int i = 0; i < 3; i++) {
      block.activate(i, 1);
    }
    block.post(0, new PostedInterrupt(guest.address(), 0x31, false));
    block.post(1, new PostedInterrupt(guest.address(), 0xff, true));
    assertEquals(BusOutcome.OK, b.ring(block, 0));
    assertEquals(List.of(), b.doorbells);
    assertEquals(List.of(guest), b.posting().waiting());
    assertEquals(List.of(), b.posting().waiting());
    taken(guest, 0x31);
    taken(guest);
    assertFalse(guest.send(UNUSED, 2), "nothing is posted");
    assertFalse(guest.resume());
    long commands = b.model.read(0x2008, 8).value();
    b.ring(block, 0);
    b.ring(block, 1);
    assertEquals(List.of(2L, 2L), b.doorbells);
    assertEquals(List.of(), b.collect(), "the host hears of none");
    assertTrue(guest.send(UNUSED, 0x8100_0006L), "posted, and the former processor was told");
    b.ring(block, 1);
    assertEquals(List.of(2L, 2L, 0x8100_0006L), b.doorbells);
    guest.suppress();
    taken(guest, 0x31, 0xff);
    b.ring(block, 1);
    assertEquals(3, b.doorbells.size());
    assertEquals(List.of(guest), b.posting().waiting());
    assertTrue(guest.resume(), "posted, and nobody told");
    assertEquals(commands, b.model.read(0x2008, 8).value(), "no invalidation");
    assertEquals(BusOutcome.OK, b.ring(block, 2));
    assertEquals(List.of(1), b.collect(), "a vector that is not posted");
    block.endPost(0);
    b.ring(block, 0);
    assertEquals(List.of(1), b.collect());
    assertThrows(IllegalStateException.class, guest::close);
    block.free();
    guest.close();
    assertEquals(List.of(), b.posting().waiting());
    b.driver.close();
    assertEquals(0, b.frames.bytesInUse());
  }

  @Test
  @DisplayName(
      "each message goes to the host or to the guest while a vector is posted and taken back: none is lost, none told twice")
  void andBack() throws InterruptedException {
    Bench b = new Bench(true, AmdViFeatures.all());
    VectorBlock block = b.controller.allocate(SOURCE, 1, false);
    PostedDescriptor guest = b.posting().create();
    block.activate(0, 3);
    AtomicInteger refused = new AtomicInteger();
    Thread device =
        Thread.ofPlatform()
            .start(() -> {
              for (int i = 0; i < 4000; i++) {
                if (b.ring(block, 0) != BusOutcome.OK) {
                  refused.incrementAndGet();
                }
              }
            });
    while (device.isAlive()) {
      block.post(0, new PostedInterrupt(guest.address(), 0x55, false));
      block.endPost(0);
    }
    device.join();
    assertEquals(0, refused.get());
  }

  @Test
  @DisplayName("a log that was full leaves no processor out, and runs again")
  void lost() {
    Bench b = new Bench(true, AmdViFeatures.all());
    VectorBlock block = b.controller.allocate(SOURCE, 2, false);
    PostedDescriptor first = b.posting().create();
    PostedDescriptor last = b.posting().create();
    PostedDescriptor idle = b.posting().create();
    block.activate(0, 0);
    block.activate(1, 0);
    block.post(0, new PostedInterrupt(first.address(), 0x20, false));
    block.post(1, new PostedInterrupt(last.address(), 0x21, false));
    for (int i = 0; i < 1100; i++) {
      b.ring(block, 0);
    }
    b.ring(block, 1);
    List<PostedDescriptor> waiting = b.posting().waiting();
    assertTrue(waiting.contains(first) && waiting.contains(last) && !waiting.contains(idle));
    taken(last, 0x21);
    b.ring(block, 1);
    assertEquals(List.of(last), b.posting().waiting());
  }

  @Test
  @DisplayName("descriptors of nobody, a posted vector's move, an IOMMU that is closed too early")
  void refused() {
    Bench b = new Bench(true, AmdViFeatures.all());
    VectorBlock block = b.controller.allocate(SOURCE, 1, false);
    block.activate(0, 0);
    assertThrows(
        IllegalArgumentException.class,
        () -> block.post(0, new PostedInterrupt(0x1234_5000, 0x20, false)));
    assertEquals(BusOutcome.OK, b.ring(block, 0));
    assertEquals(List.of(0), b.collect());
    PostedDescriptor guest = b.posting().create();
    block.post(0, new PostedInterrupt(guest.address(), 0x20, false));
    assertThrows(IllegalStateException.class, () -> block.retarget(0, 1));
    block.free();
    assertThrows(IllegalStateException.class, b.driver::close);
    VectorBlock foreign = b.controller.allocate(OTHER, 1, false);
    assertEquals(BusOutcome.ERROR, b.ring(foreign, 0), "another device's table");
    taken(guest);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2})
  @DisplayName("an IOMMU without guest virtual APIC mode says what it lacks")
  void unsupported(int mode) {
    Bench b = new Bench(true, AmdViFeatures.all().with(AmdViRegisters.GAM_SUP, mode));
    VectorBlock block = b.controller.allocate(SOURCE, 1, false);
    block.activate(0, 0);
    PostingUnsupported no =
        assertThrows(
            PostingUnsupported.class,
            () -> block.post(0, new PostedInterrupt(0x1000_0000, 0x20, false)));
    assertTrue(no.getMessage().contains("GAMSup is " + mode), no::getMessage);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  @DisplayName(
      "devices post while the monitor suppresses, resumes, moves and takes: every post is found without waiting for a later one")
  void neverLost(long seed) throws InterruptedException {
    Bench b = new Bench(seed != 2, AmdViFeatures.all());
    VectorBlock block = b.controller.allocate(SOURCE, 3, false);
    PostedDescriptor guest = b.posting().create();
    for (int i = 0; i < 3; i++) {
      block.activate(i, 0);
      block.post(i, new PostedInterrupt(guest.address(), 0x40 * (i + 1) + 1, false));
    }
    guest.send(UNUSED, IDS.getFirst());
    guest.resume();
    int posts = 3000;
    AtomicInteger rung = new AtomicInteger();
    List<Thread> devices = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int vector = i;
      devices.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int n = 0; n < posts; n++) {
                  b.ring(block, vector);
                  rung.incrementAndGet();
                }
              }));
    }
    Random dice = new Random(seed);
    long[] seen = new long[PostedDescriptor.WORDS];
    while (rung.get() < 3 * posts) {
      boolean look =
          switch (dice.nextInt(4)) {
            case 0 -> {
              guest.suppress();
              yield guest.resume();
            }
            case 1 -> guest.send(UNUSED, IDS.get(dice.nextInt(4)));
            default -> false;
          };
      if (look || told(b)) {
        guest.take(seen);
      }
    }
    for (Thread device : devices) {
      device.join();
    }
    if (told(b)) {
      guest.take(seen);
    }
    long[] left = new long[PostedDescriptor.WORDS];
    assertEquals(0, guest.take(left), "posted, and nobody was told");
    assertArrayEquals(new long[] {0, 1L << 1, 1L << 1, 1L << 1}, seen);
  }

  private static boolean told(Bench b) {
    boolean rung;
    synchronized (b.doorbells) {
      rung = !b.doorbells.isEmpty();
      b.doorbells.clear();
    }
    return rung | !b.posting().waiting().isEmpty();
  }
}
