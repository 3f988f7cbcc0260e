package dev.doorbell.linux;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.linux.LiveHop.Movement;
import dev.doorbell.pci.Seen;
import dev.doorbell.vfio.IrqType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// The stops of a live trace, made out of two samples.
final class LiveHops {
  private final LiveSample now;
  private final List<LiveHop> hops = new ArrayList<>();
  private final List<Unseen> unseen = new ArrayList<>();
  private final LiveCount count;
  private final boolean arrived;
  private final boolean pending;

  LiveHops(LiveSample before, LiveSample now) {
    this.now = now;
    this.count = LiveCount.between(before.interrupt(), now.interrupt());
    this.arrived = count.taken().orElse(0) > 0;
    this.pending = now.programmed().thing().flatMap(ProgrammedVector::pending).orElse(false);
  }

  LiveTrace read() {
    // What forbids a message comes before what raises one: a function that may send none is not
    // silent by itself.
    mayItSend();
    enabled();
    raised();
    mask();
    iommu();
    controller();
    changed();
    taken();
    Optional<String> stop =
        arrived
            ? Optional.empty()
            : hops.stream()
                .filter(h -> h.movement() == Movement.STILL)
                .map(h -> h.hop().at())
                .findFirst();
    return new LiveTrace(
        now.function(),
        now.vector(),
        List.copyOf(hops),
        count.taken(),
        stop,
        now.programmed().thing(),
        now.interrupt().thing(),
        now.domains().thing().map(IrqDomains::last).orElse(OptionalLong.empty()),
        List.copyOf(unseen));
  }

  private static Hop hop(String at, String in, String out, String why, Source from) {
    return new Hop(at, in, out, why, from, Basis.OBSERVED);
  }

  private void put(Movement movement, Hop hop) {
    hops.add(new LiveHop(hop, movement));
  }

  private Movement passed() {
    return arrived ? Movement.MOVED : Movement.UNSEEN;
  }

  private String device() {
    return "sys/bus/pci/devices/" + now.function();
  }

  private void mayItSend() {
    String driver = now.driver().map(d -> "driver " + d).orElse("no driver");
    boolean asleep = now.power().filter(p -> p.startsWith("D3")).isPresent();
    Source from = Source.file(device() + "/config");
    if (now.busMaster() instanceof Seen.NotVisible<Boolean>(String why)) {
      unseen.add(new Unseen("configuration space", why, "whether it may send is not known"));
      put(passed(), hop("function", driver, "not seen", why, from));
      return;
    }
    boolean may = now.busMaster().thing().orElse(false) && !asleep;
    String out =
        "Bus Master Enable %s, power %s"
            .formatted(
                now.busMaster().thing().orElse(false) ? "1" : "0", now.power().orElse("not seen"));
    put(
        may ? Movement.MOVED : Movement.STILL,
        hop(
            "function",
            driver,
            out,
            may
                ? "it may send messages, which are memory writes"
                : asleep
                    ? "it sleeps: the driver or power management has to wake it"
                    : "it may write nothing to memory, so no message leaves: its driver has to turn Bus Master Enable on",
            from));
  }

  private void enabled() {
    switch (now.programmed()) {
      case Seen.There<ProgrammedVector>(ProgrammedVector p) -> {
        boolean requested = now.interrupt().isThere() || now.interrupt().isNotVisible();
        put(
            p.enabled() && requested ? Movement.MOVED : Movement.STILL,
            hop(
                "enable",
                name(p.type()) + " of the function",
                p.enabled() ? "on" : "off",
                !p.enabled()
                    ? "nobody has enabled it: the driver requests no vectors, or uses another kind"
                    : requested
                        ? "vector %d writes 0x%x to 0x%x"
                            .formatted(now.vector(), p.data(), p.address())
                        : "the kernel has no interrupt for vector %d: no driver has requested it"
                            .formatted(now.vector()),
                p.source()));
      }
      case Seen.NotThere<ProgrammedVector> n ->
          put(
              Movement.STILL,
              hop(
                  "enable",
                  "vector " + now.vector(),
                  "not there",
                  "the function has no MSI, or as many vectors as were enabled and no more",
                  Source.file(device() + "/config")));
      case Seen.NotVisible<ProgrammedVector>(String why) -> {
        unseen.add(
            new Unseen(
                "what is programmed", why, "address, data, mask and pending bit are not known"));
        put(
            now.interrupt().isThere() ? Movement.MOVED : passed(),
            hop(
                "enable",
                "vector " + now.vector(),
                now.interrupt().isThere() ? "requested by a driver" : "not seen",
                why,
                Source.file(device())));
      }
    }
  }

  private void raised() {
    Source from =
        now.programmed().thing().map(ProgrammedVector::source).orElse(Source.file(device()));
    String event = "the function's own event";
    if (arrived || pending) {
      String why = pending ? "its pending bit is set" : "the kernel counted what it sent";
      put(Movement.MOVED, hop("raise", event, "message", why, from));
      return;
    }
    Optional<String> hidden = hidden();
    if (hidden.isPresent()) {
      put(Movement.UNSEEN, hop("raise", event, "not seen", hidden.get(), from));
      return;
    }
    boolean masked = now.programmed().thing().flatMap(ProgrammedVector::masked).orElse(false);
    put(
        Movement.STILL,
        hop(
            "raise",
            event,
            "none seen",
            masked
                ? "masked, and no pending bit: it has raised nothing since"
                : "no pending bit and no interrupt counted: it raises nothing, or its message is lost where this host shows nothing",
            from));
  }

  /// {@return why silence says nothing of the function itself}
  private Optional<String> hidden() {
    if (now.programmed().isNotVisible()) {
      return Optional.of("mask and pending bit cannot be seen, and no interrupt was counted");
    }
    if (count.unknown().isPresent()) {
      return Optional.of("how many interrupts were taken meanwhile is not known");
    }
    if (isHeldLater()) {
      return Optional.of("the interrupt is off further on, where messages are not counted");
    }
    return Optional.empty();
  }

  private boolean isHeldLater() {
    return now.domains().thing().map(d -> d.disabled() || d.masked()).orElse(false);
  }

  private void mask() {
    Optional<ProgrammedVector> p = now.programmed().thing();
    if (p.isEmpty() || p.get().masked().isEmpty()) {
      if (p.isPresent()) {
        put(passed(), hop("mask", "message", "passes", "it has no mask bit", p.get().source()));
      }
      return;
    }
    boolean masked = p.get().masked().get();
    put(
        masked ? Movement.STILL : passed(),
        hop(
            "mask",
            "message",
            masked ? "held back" : "passes",
            masked
                ? "the vector's mask bit or the function's is set: whoever masked it has to unmask it"
                : "neither the vector nor the function is masked",
            p.get().source()));
  }

  private void iommu() {
    if (now.group().isEmpty()) {
      put(
          passed(),
          hop(
              "iommu",
              address(),
              "as it is",
              "no group: no IOMMU is in its way",
              Source.file(device() + "/iommu_group")));
      return;
    }
    Source from = Source.file("sys/kernel/iommu_groups/" + now.group().get());
    Optional<String> entry = now.remapping().thing().flatMap(this::remapped);
    if (entry.isPresent()) {
      put(
          passed(),
          hop(
              "iommu",
              address(),
              "remapped",
              entry.get(),
              Source.file("sys/kernel/debug/iommu/intel/ir_translation_struct")));
      return;
    }
    String type = now.groupType().orElse("not seen");
    String why =
        now.messages()
            .map(r -> through(r) + "; the kernel does not show this IOMMU's tables")
            .orElse("the kernel does not show this IOMMU's tables");
    if (!arrived) {
      unseen.add(
          new Unseen(
              "tables of the IOMMU",
              now.remapping() instanceof Seen.NotVisible<String>(String w)
                  ? w
                  : "the kernel has no file for them, or debugfs is not mounted",
              "a message lost here looks like a function that raises nothing; look for IOMMU faults at the end of `dmesg`"));
    }
    put(
        passed(),
        hop("iommu", address(), "group %d, type %s".formatted(now.group().get(), type), why, from));
  }

  private Optional<String> remapped(String table) {
    String source = now.function().toString().substring(now.function().toString().indexOf(':') + 1);
    OptionalLong vector = now.domains().thing().map(IrqDomains::last).orElse(OptionalLong.empty());
    return table
        .lines()
        .map(String::strip)
        .filter(l -> l.contains(" " + source + " "))
        .filter(l ->
            vector.isPresent()
                && l.split("\\s+", -1).length > 3
                && l.split("\\s+", -1)[3].equals(Long.toHexString(vector.getAsLong())))
        .map(l ->
            "entry %s of the remapping table leads to vector 0x%s"
                .formatted(l.split("\\s+", -1)[0], l.split("\\s+", -1)[3]))
        .findFirst();
  }

  private String address() {
    return now.programmed()
        .thing()
        .map(p -> "write to 0x%x".formatted(p.address()))
        .orElse("write");
  }

  private String through(ReservedRegion r) {
    boolean inside =
        now.programmed().thing().map(p -> r.range().contains(p.address())).orElse(false);
    String where = "%s region %s".formatted(r.kind().printed(), r.range());
    return inside
        ? "the address lies in the " + where
        : "the address lies outside the " + where + ", as it does for the host's own drivers";
  }

  private void controller() {
    if (now.interrupt().thing().isEmpty()) {
      return;
    }
    KernelInterrupt k = now.interrupt().thing().get();
    switch (now.domains()) {
      case Seen.There<IrqDomains>(IrqDomains d) -> {
        put(
            isHeldLater() && !arrived ? Movement.STILL : passed(),
            hop(
                "controller",
                k.chip(),
                d.text(),
                d.disabled()
                    ? "its driver has switched the interrupt off (disable_irq)"
                    : d.masked() ? "the kernel holds it back there" : "enabled there",
                Source.file("sys/kernel/debug/irq/irqs/" + k.irq())));
      }
      case Seen.NotThere<IrqDomains> n ->
          notDebugged(k, "this kernel has no /sys/kernel/debug/irq, or debugfs is not mounted");
      case Seen.NotVisible<IrqDomains>(String why) -> notDebugged(k, why);
    }
  }

  private void notDebugged(KernelInterrupt k, String why) {
    if (!arrived) {
      unseen.add(
          new Unseen(
              "the interrupt's way through its controllers",
              why,
              "whether it is masked at one is not known"));
    }
    put(
        passed(),
        hop(
            "controller",
            k.chip(),
            k.hwirq().isPresent() ? "hardware number " + k.hwirq().getAsLong() : "not seen",
            "by its name alone",
            Source.file("sys/kernel/irq/" + k.irq())));
  }

  private void changed() {
    if (count.moved().isPresent() && now.interrupt().thing().isPresent()) {
      put(
          Movement.UNSEEN,
          hop(
              "irq",
              "IRQ " + count.moved().get(),
              "IRQ " + now.interrupt().thing().get().irq(),
              "its driver has requested vectors anew between the two looks",
              Source.file(device() + "/msi_irqs")));
    }
  }

  private void taken() {
    switch (now.interrupt()) {
      case Seen.There<KernelInterrupt>(KernelInterrupt k) -> {
        count
            .unknown()
            .ifPresent(why ->
                unseen.add(new Unseen("the kernel's counters", why, "movement is not known")));
        String meanwhile =
            count.taken().isPresent() ? count.taken().getAsLong() + " taken" : "not known how many";
        put(
            arrived
                ? Movement.MOVED
                : count.unknown().isPresent() ? Movement.UNSEEN : Movement.STILL,
            hop(
                "kernel",
                "IRQ %d on CPU %s".formatted(k.irq(), k.cpus().isEmpty() ? "not seen" : k.cpus()),
                "%s, %d in all".formatted(meanwhile, k.count()),
                k.actions().isEmpty() ? "nobody has requested it" : "taken by " + k.actions(),
                Source.file("sys/kernel/irq/" + k.irq() + "/per_cpu_count")));
      }
      case Seen.NotThere<KernelInterrupt> n ->
          put(
              Movement.STILL,
              hop(
                  "kernel",
                  "vector " + now.vector(),
                  "no IRQ",
                  "the kernel has no interrupt for it: no driver has requested it",
                  Source.file(device() + "/msi_irqs")));
      case Seen.NotVisible<KernelInterrupt>(String why) -> {
        unseen.add(new Unseen("the kernel's counters", why, "movement is not known"));
        put(
            Movement.UNSEEN,
            hop(
                "kernel",
                "vector " + now.vector(),
                "not seen",
                why,
                Source.file("sys/kernel/irq")));
      }
    }
  }

  private static String name(IrqType type) {
    return type == IrqType.MSIX ? "MSI-X" : type.toString();
  }
}
