package dev.doorbell.diff;

import dev.doorbell.qemu.QemuVersion;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;

/// Texts of any content as recorded scenarios: one that is read prints to a text that reads as the same, and runs, or is refused by its name. A
/// model beside a model of its kind never differs.
public final class ScriptFuzz {
  private static final int MOST_STEPS = 64;
  private static final Map<Hardware, Differential> RIGS = new EnumMap<>(Hardware.class);

  private ScriptFuzz() {}

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) {
    Recording recording;
    try {
      recording = Script.parse(new String(input, StandardCharsets.UTF_8), "fuzz");
    } catch (BadScript e) {
      return;
    }
    Scenario scenario = recording.scenario();
    if (!scenario.equals(Script.parse(Script.print(scenario), "printed").scenario())) {
      throw new IllegalStateException("read again it is another: " + Script.print(scenario));
    }
    if (scenario.steps().size() > MOST_STEPS) {
      return;
    }
    Differential rig = RIGS.computeIfAbsent(scenario.hardware(), ScriptFuzz::models);
    try {
      Differential.Report report = rig.replay(recording);
      if (report.finding().isPresent()) {
        throw new IllegalStateException("a model differs from itself: " + report.finding().get());
      }
    } catch (BadScript e) {
      // A step that no machine of the kind can perform.
      return;
    }
  }

  private static Differential models(Hardware hardware) {
    return Differential.with(hardware, QemuVersion.LEAST, hardware.twin());
  }
}
