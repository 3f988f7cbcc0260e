package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.gicv2.GicdRegisters;
import dev.doorbell.hw.smmuv3.SmmuFeatures;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("issue 3, differential test: scenarios that are sent ahead")
class AheadTest {
  private static final int STEPS = 25;

  /// The model, whose answers come only when everything is settled, and of which one can be wrong.
  private static final class LateRig implements Rig {
    private final ModelRig model;
    private final List<Runnable> underWay = new ArrayList<>();
    private int wrongAnswers;
    private int settled;
    private int resets;

    LateRig(Hardware hardware, int wrongAnswers) {
      model = new ModelRig(hardware, SmmuFeatures.qemu72());
      this.wrongAnswers = wrongAnswers;
    }

    @Override
    public String name() {
      return "model that answers late";
    }

    @Override
    public void reset() {
      settle();
      resets++;
      model.reset();
    }

    @Override
    public PhysicalMemory memory() {
      settle();
      return model.memory();
    }

    @Override
    public void write(long address, long value, int bytes) {
      underWay.add(() -> model.write(address, value, bytes));
    }

    @Override
    public void store(long address, List<Long> words) {
      if (underWay.isEmpty()) {
        model.store(address, words);
      } else {
        underWay.add(() -> model.store(address, words));
      }
    }

    @Override
    public long[] ask(List<Place> places) {
      long[] answers = new long[places.size()];
      underWay.add(() -> {
        System.arraycopy(model.ask(places), 0, answers, 0, answers.length);
        for (int i = 0; i < answers.length; i++) {
          if (wrongAnswers > 0 && places.get(i).name().startsWith(GicdRegisters.ISPENDR.name())) {
            wrongAnswers--;
            answers[i] ^= 1;
          }
        }
      });
      return answers;
    }

    @Override
    public void settle() {
      settled += underWay.isEmpty() ? 0 : 1;
      underWay.forEach(Runnable::run);
      underWay.clear();
    }

    @Override
    public void message(int requester, long address, int data) {
      underWay.add(() -> model.message(requester, address, data));
    }

    @Override
    public long fetch(int requester, long address) {
      settle();
      return model.fetch(requester, address);
    }

    @Override
    public void close() {
      model.close();
    }
  }

  @Test
  @DisplayName(
      "show no difference between equal machines, and wait for the other one far less often than once a step")
  void late() {
    for (Hardware hardware : Hardware.arm()) {
      LateRig other = new LateRig(hardware, 0);
      try (Differential d = Differential.with(hardware, other)) {
        Differential.Report report = d.run(1, 100, STEPS, seed -> {});
        assertEquals(Optional.empty(), report.finding(), hardware.id());
        assertTrue(
            other.settled < report.steps() / 2,
            () -> "%s: %d waits for %s".formatted(hardware.id(), other.settled, report));
      }
    }
  }

  @Test
  @DisplayName(
      "seeds run in their order, each told before, and none on a machine that the one before left unfit")
  void order() {
    List<Long> begun = new ArrayList<>();
    List<Integer> resets = new ArrayList<>();
    LateRig other = new LateRig(Hardware.SMMUV3, 0);
    try (Differential d = Differential.with(Hardware.SMMUV3, other)) {
      d.run(
          1,
          128,
          STEPS,
          seed -> {
            begun.add(seed);
            resets.add(other.resets);
          });
    }
    assertEquals(LongStream.rangeClosed(1, 128).boxed().toList(), begun);
    SmmuDiscipline discipline =
        new SmmuDiscipline(Hardware.SMMUV3, SmmuDialect.QEMU_7_2.ofWritesAlone());
    int unfit = 0;
    for (int seed = 1; seed < 127; seed++) {
      if (discipline.wantsReset(new Scenario(Hardware.SMMUV3, discipline.generate(seed, STEPS)))) {
        unfit++;
        // Lists begin with seed 1, and each figure is that before its seed runs.
        assertTrue(resets.get(seed + 1) > resets.get(seed), "behind seed " + seed);
      }
    }
    assertTrue(unfit > 0);
  }

  @Test
  @DisplayName(
      "a difference that the run step by step does not show again is reported all the same")
  void once() {
    try (Differential d = Differential.with(Hardware.GICV2M, new LateRig(Hardware.GICV2M, 1))) {
      Differential.Report report = d.run(1, 10, STEPS, seed -> {});
      assertTrue(report.finding().isPresent());
      assertTrue(report.finding().get().what().startsWith(GicdRegisters.ISPENDR.name()));
      assertFalse(report.finding().get().script().isEmpty());
    }
  }

  @Test
  @DisplayName(
      "registers that were written while nothing was compared are asked for behind the next command")
  void unseenWrite() {
    String script =
        """
        hardware smmuv3
        write 0x9050020 4 0x8
        write 0x9050020 4 0x0
        command 0x46 0x0
        """;
    try (Differential d = Differential.with(Hardware.SMMUV3, new LateRig(Hardware.SMMUV3, 0))) {
      assertEquals(Optional.empty(), d.replay(Script.parse(script, "test")).finding());
    }
  }
}
