package dev.doorbell.route;

import dev.doorbell.address.Iova;
import dev.doorbell.description.AplicDescription;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.hw.aplic.AplicWalk;
import dev.doorbell.hw.aplic.AplicWalker;
import dev.doorbell.hw.imsic.ImsicWalk;
import dev.doorbell.hw.imsic.ImsicWalker;
import dev.doorbell.hw.riscviommu.RiscvIommuWalk;
import dev.doorbell.hw.riscviommu.RiscvIommuWalker;
import dev.doorbell.survey.SurveyedFunction;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// The parts of a route that only RISC-V machines have: their IOMMU, and the interrupt files of harts.
final class RiscvWalk {
  /// What Linux names a domain whose accesses pass untranslated (`iommu_domain_type_str`).
  private static final String IDENTITY = "identity";

  private final MachineDescription machine;
  private final MachineState state;
  private final RouteWalker.Trail trail;

  RiscvWalk(MachineDescription machine, MachineState state, RouteWalker.Trail trail) {
    this.machine = machine;
    this.state = state;
    this.trail = trail;
  }

  /// {@return where a write leaves the IOMMU; empty when it ends inside or cannot be followed}
  OptionalLong translate(
      IommuDescription.RiscvIommu iommu, SurveyedFunction f, long address, String in) {
    Optional<MachineState.Block> block =
        iommu.registers().isPresent()
            ? state.block("riscv", iommu.registers().get())
            : state.blocks("riscv").stream().findFirst();
    int deviceId = f.stream().map(SurveyedFunction.Stream::streamId).orElse(f.requesterId());
    RiscvIommuWalk walk =
        new RiscvIommuWalker(
                iommu.id(),
                block.map(MachineState.Block::registers).orElse(Map.of()),
                state.memory())
            .walk(deviceId, new Iova(address), true);
    String why = walk.stoppedAt().orElse("the walk ended");
    Optional<Recorded.Group> identity =
        why.startsWith("cannot see") ? identity(f) : Optional.empty();
    if (identity.isPresent()) {
      trail.recorded(
          iommu.id(),
          in,
          in,
          "%s; the kernel wrote down that its group %d has a domain of type identity, in which accesses pass untranslated"
              .formatted(why, identity.get().number()),
          identity.get().source());
      return OptionalLong.of(address);
    }
    if (block.isEmpty()) {
      trail.cannotSee(iommu.id(), in, "its registers were not recorded", iommu.source());
      return OptionalLong.empty();
    }
    trail.hops(walk.hops());
    if (walk.file().isPresent()) {
      trail.breaks(
          "the message becomes a pending bit in %s: no interrupt controller takes the message itself"
              .formatted(walk.file().get()));
      return OptionalLong.empty();
    }
    if (walk.output().isEmpty()) {
      trail.breaks(why);
      return OptionalLong.empty();
    }
    return OptionalLong.of(walk.output().get().value());
  }

  private Optional<Recorded.Group> identity(SurveyedFunction f) {
    return state.basis() == Basis.DERIVED
        ? Optional.empty()
        : machine.recorded().groups().stream()
            .filter(g -> g.functions().contains(f.sbdf()) && g.type().equals(IDENTITY))
            .findFirst();
  }

  /// {@return the way of a wire's interrupt, whose message meets no IOMMU}
  Route wired(int aplic, int number) {
    MsiControllerDescription.Imsic imsic =
        machine
            .imsic()
            .filter(i -> i.aplics().stream().anyMatch(a -> a.number() == aplic))
            .orElseThrow(() -> new IllegalArgumentException("the machine has no APLIC " + aplic));
    AplicDescription a =
        imsic.aplics().stream().filter(i -> i.number() == aplic).findFirst().orElseThrow();
    if (number < 1 || number > a.sources()) {
      throw new IndexOutOfBoundsException(
          "%s has sources 1 to %d and no source %d".formatted(a.id(), a.sources(), number));
    }
    Map<String, Long> registers =
        state.block("aplic", a.registers()).map(MachineState.Block::registers).orElse(Map.of());
    AplicWalk walk = new AplicWalker(a.id(), registers).walk(number);
    Hop hop = walk.hop();
    if (walk.message().isEmpty()) {
      return hop.basis() == Basis.UNSEEN
          ? trail.cannotSee(hop.at(), hop.in(), hop.why(), hop.source())
          : trail.stop(hop.at(), hop.in(), hop.out(), hop.why(), hop.source());
    }
    trail.hops(List.of(hop));
    return sent(imsic, a, walk.message().get());
  }

  private Route sent(
      MsiControllerDescription.Imsic imsic, AplicDescription a, AplicWalk.Message message) {
    OptionalLong page = AplicDescription.page(imsic, message.hart(), message.guest());
    if (page.isEmpty()) {
      return trail.stop(
          a.id(),
          "hart index %d, guest %d".formatted(message.hart(), message.guest()),
          "nothing",
          "no interrupt file of %s has that index".formatted(imsic.id()),
          imsic.source());
    }
    trail.derived(
        a.id(),
        "hart index %d".formatted(message.hart()),
        RouteWalker.write(page.getAsLong(), message.identity()),
        "the index is in the address of the hart's interrupt file; no IOMMU is in the way of an APLIC's messages",
        imsic.source());
    trail.doorbell(page.getAsLong());
    return deliver(imsic, page.getAsLong(), message.identity());
  }

  /// {@return the rest of a message's way, into a hart's interrupt file}
  Route deliver(MsiControllerDescription.Imsic imsic, long pa, int data) {
    Optional<MachineState.Block> csrs =
        state.block("imsic", imsic.frame().orElse(imsic.windows().getFirst()));
    ImsicWalk walk =
        new ImsicWalker(
                imsic.id(),
                new ImsicWalker.Files(
                    imsic.files().stream().map(f -> f.page().start()).toList(),
                    imsic.index().guestBits(),
                    imsic.identities(),
                    imsic.source()),
                csrs.map(MachineState.Block::registers).orElse(Map.of()),
                state.basis())
            .walk(pa, data);
    if (csrs.isPresent()) {
      trail.hops(walk.hops());
    } else {
      walk.hops().forEach(h -> trail.derived(h.at(), h.in(), h.out(), h.why(), h.source()));
    }
    if (walk.arrived().isEmpty()) {
      trail.breaks(walk.stoppedAt().orElse("the walk ended"));
      return trail.stopped();
    }
    ImsicWalk.Arrived at = walk.arrived().get();
    if (imsic.machineLevel()) {
      return trail.stop(
          imsic.id(),
          "identity %d pending at CPU %d".formatted(at.identity(), at.cpu()),
          "an interrupt of machine level",
          "interrupt files of machine level are firmware's own: no operating system's vector is there",
          imsic.source());
    }
    return trail.delivered(
        new Route.Interrupt(imsic.id(), at.identity(), OptionalInt.of(at.cpu())), walk.enabled());
  }
}
