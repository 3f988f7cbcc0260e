package dev.doorbell.route;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.amdvi.AmdViMessage;
import dev.doorbell.hw.amdvi.AmdViWalk;
import dev.doorbell.hw.amdvi.AmdViWalker;
import dev.doorbell.hw.hpet.HpetWalk;
import dev.doorbell.hw.hpet.HpetWalker;
import dev.doorbell.hw.ioapic.IoapicWalk;
import dev.doorbell.hw.ioapic.IoapicWalker;
import dev.doorbell.hw.lapic.LapicWalker;
import dev.doorbell.hw.vtd.VtdMessage;
import dev.doorbell.hw.vtd.VtdWalk;
import dev.doorbell.hw.vtd.VtdWalker;
import dev.doorbell.irq.X86Interrupt;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// The parts of a route that only x86 machines have: interrupt remapping and local APICs. Writes to the interrupt address range never meet
/// the DMA tables; others do.
final class X86Walk {
  private static final Source RULE =
      Source.rule("Intel VT-d 4.1, 3.14 and AMD 48882 3.09, 2.1.4: interrupt address range");

  private final MachineDescription machine;
  private final MachineState state;
  private final RouteWalker.Trail trail;

  X86Walk(MachineDescription machine, MachineState state, RouteWalker.Trail trail) {
    this.machine = machine;
    this.state = state;
    this.trail = trail;
  }

  /// {@return where a write leaves the IOMMU; empty when it ends inside}
  OptionalLong translate(IommuDescription iommu, int sourceId, long address, int data) {
    if (MsiControllerDescription.LocalApic.WINDOW.contains(address)) {
      String write = RouteWalker.write(address, data);
      trail.derived(
          iommu.id(),
          write,
          write,
          "the address lies in the interrupt address range: the write is an interrupt and does not meet the translation tables",
          RULE);
      return OptionalLong.of(address);
    }
    return switch (iommu) {
      case IommuDescription.VtD v -> {
        VtdWalk walk = vtd(v).dma(sourceId, new Iova(address), true);
        yield left(walk.hops(), walk.output(), walk.stoppedAt());
      }
      case IommuDescription.AmdVi a -> {
        AmdViWalk walk = amdVi(a).dma(sourceId, new Iova(address), true);
        yield left(walk.hops(), walk.output(), walk.stoppedAt());
      }
      default -> throw new IllegalArgumentException(iommu.id() + " is no IOMMU of x86");
    };
  }

  private OptionalLong left(List<Hop> hops, Optional<Pa> output, Optional<String> stoppedAt) {
    trail.hops(hops);
    if (output.isEmpty()) {
      trail.breaks(stoppedAt.orElse("the walk ended"));
      return OptionalLong.empty();
    }
    long pa = output.get().value();
    if (MsiControllerDescription.LocalApic.WINDOW.contains(pa)) {
      trail.stop(
          "physical address 0x%x".formatted(pa),
          "0x" + Long.toHexString(pa),
          "nothing",
          "tables that lead into the interrupt address range make no interrupt: the access is blocked",
          RULE);
      return OptionalLong.empty();
    }
    return OptionalLong.of(pa);
  }

  /// {@return the rest of a message's way, through interrupt remapping to a processor}
  Route deliver(
      MsiControllerDescription.LocalApic apic,
      int sourceId,
      Optional<IommuDescription> iommu,
      long address,
      int data) {
    return switch (iommu.orElse(null)) {
      case IommuDescription.VtD v -> {
        VtdMessage m = vtd(v).message(sourceId, address, data);
        trail.hops(m.hops());
        yield m.posted().isPresent()
            ? posted(apic, v.id(), m.posted().get())
            : arrive(apic, m.interrupt(), m.stoppedAt());
      }
      case IommuDescription.AmdVi a -> {
        AmdViMessage m = amdVi(a).message(sourceId, address, data);
        trail.hops(m.hops());
        yield m.guest().isPresent()
            ? posted(a.id(), m.guest().get().vector())
            : arrive(apic, m.interrupt(), m.stoppedAt());
      }
      case null, default -> {
        X86Interrupt out = X86Interrupt.ofMessage(address, data);
        trail.derived(
            apic.id(),
            RouteWalker.write(address, data),
            out.toString(),
            "nothing remaps interrupts of this sender, and whoever sends is not looked at",
            Source.rule("Intel SDM volume 3, 11.11"));
        yield arrive(apic, Optional.of(out), Optional.empty());
      }
    };
  }

  /// {@return the way of a pin's interrupt}
  Route wired(ApicDescription.IoApic ioApic, int pin) {
    String id = "ioapic:" + ioApic.apicId();
    IoapicWalk walk =
        new IoapicWalker(
                id,
                ioApic
                    .registers()
                    .flatMap(r -> state.block("ioapic", r))
                    .map(MachineState.Block::registers)
                    .orElse(Map.of()))
            .walk(pin);
    Sender sender = new Sender(id, "I/O APIC", ioApic.iommu(), ioApic.sourceId(), ioApic.source());
    return walk.message()
        .map(m -> sent(sender, walk.hop(), walk.masked(), m.address(), m.data()))
        .orElseGet(() -> nothing(walk.hop()));
  }

  /// {@return the way of a timer's interrupt}
  Route timed(ApicDescription.Hpet hpet, int timer) {
    String id = "hpet:" + hpet.number();
    HpetWalk walk =
        new HpetWalker(
                id,
                hpet.registers()
                    .flatMap(r -> state.block("hpet", r))
                    .map(MachineState.Block::registers)
                    .orElse(Map.of()))
            .walk(timer);
    Sender sender = new Sender(id, "HPET", hpet.iommu(), hpet.sourceId(), hpet.source());
    if (walk.message().isPresent() && machine.isRemapperUntold(hpet)) {
      trail.hops(List.of(walk.hop()));
      return trail.cannotSee(
          "IOMMUs",
          walk.hop().out(),
          "interrupts are remapped, and firmware does not tell by whom those of %s".formatted(id),
          hpet.source());
    }
    return walk.message()
        .map(m -> sent(sender, walk.hop(), walk.masked(), m.address(), m.data()))
        .orElseGet(() -> nothing(walk.hop()));
  }

  /// What sends messages and is no PCI function.
  private record Sender(
      String id, String kind, Optional<String> iommu, OptionalInt sourceId, Source source) {}

  private Route nothing(Hop hop) {
    if (hop.basis() == Basis.UNSEEN) {
      return trail.cannotSee(hop.at(), hop.in(), hop.why(), hop.source());
    }
    return trail.stop(hop.at(), hop.in(), hop.out(), hop.why(), hop.source());
  }

  private Route sent(Sender from, Hop hop, boolean masked, long address, int data) {
    trail.masked(masked);
    trail.hops(List.of(hop));
    MsiControllerDescription.LocalApic apic =
        machine.msiControllers().stream()
            .filter(c -> c instanceof MsiControllerDescription.LocalApic)
            .map(c -> (MsiControllerDescription.LocalApic) c)
            .findFirst()
            .orElseThrow();
    Optional<IommuDescription> iommu = from.iommu().flatMap(machine::iommu);
    String write = RouteWalker.write(address, data);
    if (iommu.isPresent() && from.sourceId().isEmpty()) {
      return trail.cannotSee(
          iommu.get().id(),
          write,
          "which source-id the messages of %s carry is not told".formatted(from.id()),
          from.source());
    }
    iommu.ifPresent(i ->
        trail.derived(
            from.id(),
            write,
            "source-id 0x%x at %s".formatted(from.sourceId().getAsInt(), i.id()),
            "firmware names it for the " + from.kind(),
            i.source()));
    trail.doorbell(address);
    return deliver(apic, from.sourceId().orElse(0), iommu, address, data);
  }

  private Route arrive(
      MsiControllerDescription.LocalApic apic,
      Optional<X86Interrupt> interrupt,
      Optional<String> stoppedAt) {
    if (interrupt.isEmpty()) {
      trail.breaks(stoppedAt.orElse("the walk ended"));
      return trail.stopped();
    }
    LapicWalker.Arrival at = lapics(apic).arrive(interrupt.get());
    Hop h = at.hop();
    trail.derived(h.at(), h.in(), h.out(), h.why(), h.source());
    if (at.stoppedAt().isPresent()) {
      trail.breaks(at.stoppedAt().get());
      return trail.stopped();
    }
    return trail.delivered(
        new Route.Interrupt(apic.id(), interrupt.get().vector(), at.cpu()), Optional.empty());
  }

  /// A guest's own vector, in memory that its virtual processor looks at.
  private Route posted(String iommu, int vector) {
    return trail.delivered(
        new Route.Interrupt(iommu, vector, OptionalInt.empty()), Optional.empty());
  }

  /// The same, with the processor of the host that is told, where one is.
  private Route posted(
      MsiControllerDescription.LocalApic apic, String iommu, VtdMessage.Posted posted) {
    OptionalInt cpu = OptionalInt.empty();
    if (posted.notification().isPresent()) {
      LapicWalker.Arrival at = lapics(apic).arrive(posted.notification().get());
      Hop h = at.hop();
      trail.derived(h.at(), "notification: " + h.in(), h.out(), h.why(), h.source());
      cpu = at.cpu();
    }
    return trail.delivered(
        new Route.Interrupt(iommu, posted.interrupt().vector(), cpu), Optional.empty());
  }

  private LapicWalker lapics(MsiControllerDescription.LocalApic apic) {
    return new LapicWalker(apic.id(), machine.apic().map(this::apicIds).orElse(List.of()));
  }

  /// Of a model the processors are known that it has where the capture shows none.
  private List<Long> apicIds(ApicDescription apic) {
    return state.basis() == Basis.DERIVED
        ? apic.ids()
        : apic.cpus().stream().map(ApicDescription.Cpu::apicId).toList();
  }

  private VtdWalker vtd(IommuDescription.VtD v) {
    return new VtdWalker(
        v.id(),
        state.block("vtd", v.window()).map(MachineState.Block::registers).orElse(Map.of()),
        state.memory());
  }

  private AmdViWalker amdVi(IommuDescription.AmdVi a) {
    return new AmdViWalker(
        a.id(),
        state.block("amdvi", a.window()).map(MachineState.Block::registers).orElse(Map.of()),
        state.memory());
  }
}
