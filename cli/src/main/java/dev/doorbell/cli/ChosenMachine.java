package dev.doorbell.cli;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.qemu.QemuMachine;
import java.util.Optional;

/// The machine that a command looks at, and what to tell of where it came from. Closing it ends what runs.
///
/// @param place where it is, for people
/// @param note what to say before all else
/// @param running the machine itself, where it is one that runs already
record ChosenMachine(
    MachineDescription machine, String place, Optional<String> note, Optional<QemuMachine> running)
    implements AutoCloseable {

  /// {@return QEMU's machine}
  static ChosenMachine of(QemuMachine qemu) {
    return new ChosenMachine(
        qemu.description(),
        "QEMU %s (%s)".formatted(qemu.process().version(), qemu.board().text()),
        Optional.empty(),
        Optional.of(qemu));
  }

  /// Says the note on standard error, where standard output belongs to a document.
  void tellBeside(Console console) {
    note.ifPresent(n -> console.err().println("doorbell: " + n));
  }

  /// {@return the hardware for drivers: QEMU's, or models built from the description}
  Machine hardware() {
    return running.isPresent() ? running.get() : EmbeddedMachine.of(machine);
  }

  @Override
  public void close() {
    running.ifPresent(QemuMachine::close);
  }
}
