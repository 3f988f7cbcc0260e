package dev.doorbell.host;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.Hypervisor;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.IommuDescription.PaprTce;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription.PaprMsi;
import dev.doorbell.description.PaprBridge;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.papr.PaprCalls;
import dev.doorbell.hw.papr.PaprDriver;
import dev.doorbell.hw.papr.PaprHardware;
import dev.doorbell.hw.papr.PaprInterruptDriver;
import dev.doorbell.hw.papr.PaprMsiDriver;
import dev.doorbell.machine.Machine;
import dev.doorbell.machine.PaprGuest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Starts what the guest of a hypervisor has.
///
/// @param cpus how many CPUs interrupts can be sent to
record PaprStart(int cpus, List<PaprDriver> windows, List<PaprMsiDriver> messages) {
  static boolean isGuest(Machine machine) {
    return machine.hypervisor().isPresent() && !PaprBridge.of(machine.description()).isEmpty();
  }

  static PaprStart of(Machine machine) {
    MachineDescription described = machine.description();
    List<PaprBridge> bridges = PaprBridge.of(described);
    Hypervisor hypervisor = machine.hypervisor().orElseThrow();
    PaprCalls calls = new PaprCalls("hypervisor", hypervisor, PaprStart::pause);
    PaprInterruptDriver interrupts = interrupts(machine, hypervisor, calls, bridges.getFirst());
    List<PaprDriver> windows = new ArrayList<>();
    List<PaprMsiDriver> messages = new ArrayList<>();
    for (PaprBridge b : bridges) {
      for (PaprTce w : b.windows()) {
        windows.add(
            PaprDriver.open(
                new PaprHardware(
                    w.id(),
                    w.liobn(),
                    w.window(),
                    endpoint(b, w, described),
                    machine.memory(),
                    machine.frames()),
                calls));
      }
      messages.add(
          PaprMsiDriver.open(
              new PaprHardware.Messages(
                  b.messages().id(),
                  b.buid(),
                  b.messages().quota(),
                  quota(b.messages()),
                  new PaprGuest(machine, b.bridge().segment())),
              calls,
              interrupts));
    }
    return new PaprStart(interrupts.cpus(), windows, messages);
  }

  /// {@return a driver of interrupts as the tree says that the guest has them}
  private static PaprInterruptDriver interrupts(
      Machine machine, Hypervisor hypervisor, PaprCalls calls, PaprBridge bridge) {
    return bridge
        .messages()
        .exploitation()
        .map(x ->
            PaprInterruptDriver.open(
                calls,
                new PaprHardware.Exploitation(
                    bridge.servers(),
                    x.priority(),
                    x.queueShift(),
                    machine.memory(),
                    machine.frames(),
                    new Pages(machine, hypervisor, x.source()))))
        .orElseGet(() -> PaprInterruptDriver.open(calls, bridge.servers()));
  }

  /// Pages of sources are in the guest's address space; a processor's own is reached as that processor.
  private record Pages(Machine machine, Hypervisor hypervisor, Source source)
      implements PaprHardware.Pages {
    @Override
    public RegisterBus registers(AddressRange window) {
      return machine.registers(window);
    }

    @Override
    public RegisterBus context(int cpu) {
      return hypervisor
          .context(cpu)
          .orElseThrow(() ->
              new NotAssignable(
                  "every function",
                  "interrupt controller",
                  "the context of processor %d (TIMA) cannot be reached".formatted(cpu),
                  source,
                  "take a machine whose processors' contexts can be reached, or a guest that uses XICS"));
    }
  }

  /// {@return what sets the number of messages: the property that tells it, or the bridge's node}
  private static Source quota(PaprMsi messages) {
    Source s = messages.source();
    return messages.quota().isPresent()
        ? new Source("ibm,pe-total-#msi in " + s.where(), s.offset())
        : s;
  }

  /// Who is interrupted meanwhile asks again at once, as often as calls are made at all.
  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Optional<PaprHardware.Endpoint> endpoint(
      PaprBridge b, PaprTce w, MachineDescription described) {
    return b.requesterOf(w, described).stream()
        .mapToObj(rid -> new PaprHardware.Endpoint(b.buid(), rid, w.dynamic(), w.source()))
        .findFirst();
  }
}
