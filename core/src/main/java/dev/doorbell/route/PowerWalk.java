package dev.doorbell.route;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.PaprBridge;
import dev.doorbell.description.Power8Bridge;
import dev.doorbell.description.PowerBridge;
import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.mpic.MpicMsiWalker;
import dev.doorbell.hw.pamu.PamuWalk;
import dev.doorbell.hw.pamu.PamuWalker;
import dev.doorbell.hw.papr.PaprWalker;
import dev.doorbell.hw.phb.PhbMessageLayout;
import dev.doorbell.hw.phb.PhbMessageWalker;
import dev.doorbell.hw.phb.PhbWalk;
import dev.doorbell.hw.phb.PhbWalker;
import dev.doorbell.hw.xive.XiveGeneration;
import dev.doorbell.hw.xive.XiveWalk;
import dev.doorbell.hw.xive.XiveWalker;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.SurveyedFunction;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// The parts of a route that only POWER has: messages that a host bridge takes itself, and those that a hypervisor programmed.
final class PowerWalk {
  /// Chips by which Linux names messages of a host bridge and of a guest's, in `proc/interrupts`.
  private static final String HOST_CHIP = "PNV-PCI-MSI";

  private static final String GUEST_CHIP = "pSeries-PCI-MSI";

  /// The places of domain and requester id in a hardware irq number (`pci_msi_domain_calc_hwirq`, Linux 6.12).
  private static final int DOMAIN_SHIFT = 27;

  private static final int REQUESTER_SHIFT = 11;

  private final MachineDescription machine;
  private final MachineState state;
  private final RouteWalker.Trail trail;

  PowerWalk(MachineDescription machine, MachineState state, RouteWalker.Trail trail) {
    this.machine = machine;
    this.state = state;
    this.trail = trail;
  }

  /// {@return where a write leaves the bridge's DMA side: a message never meets the TCEs}
  OptionalLong translate(IommuDescription.Phb phb, int rid, long address, String in) {
    if (PhbMessageLayout.isMessage(address)) {
      boolean wide = PhbMessageLayout.MSI.isSet(address);
      trail.derived(
          phb.id(),
          in,
          in,
          wide
              ? "bit 60 of the address is set: the write is a message and does not meet the TCEs"
              : "the address lies in the last 64 KiB below 4 GiB: the write is a message and does not meet the TCEs",
          Source.rule("IODA, MSI regions; skiboot hw/phb4.c"));
      return OptionalLong.of(address);
    }
    Optional<MachineState.Block> block =
        phb.registers().flatMap(window -> state.block(kind(phb), window));
    if (block.isPresent()) {
      PhbWalk walk =
          new PhbWalker(phb.id(), block.get().registers(), state.memory()).dma(rid, address, true);
      trail.hops(walk.hops());
      walk.stoppedAt().ifPresent(trail::breaks);
      return walk.output().map(pa -> OptionalLong.of(pa.value())).orElse(OptionalLong.empty());
    }
    trail.cannotSee(
        phb.id(),
        in,
        "the address is one of DMA, and the TCEs of its PE cannot be seen",
        phb.source());
    return OptionalLong.empty();
  }

  /// {@return where a write leaves a PAMU; empty when it ends inside or cannot be followed}
  OptionalLong translate(IommuDescription.Pamu pamu, int liodn, long address) {
    PamuWalk walk =
        new PamuWalker(
                pamu.id(),
                state
                    .block("pamu", pamu.window())
                    .map(MachineState.Block::registers)
                    .orElse(Map.of()),
                state.memory(),
                state.basis())
            .walk(liodn, new Iova(address));
    trail.hops(walk.hops());
    if (walk.output().isEmpty()) {
      trail.breaks(walk.stoppedAt().orElse("the walk ended"));
      return OptionalLong.empty();
    }
    return OptionalLong.of(walk.output().get().value());
  }

  /// {@return the rest of a message's way, in a bank of an MPIC}
  Route deliver(MsiControllerDescription.MpicMsi bank, Pa pa, int data) {
    MpicMsiWalker.Arrival a =
        new MpicMsiWalker(bank.id(), new Pa(bank.index()), bank.wide())
            .arrive(pa, data, state.basis());
    trail.hops(List.of(a.hop()));
    if (a.number().isEmpty()) {
      trail.breaks(a.hop().why());
      return trail.stopped();
    }
    return trail.delivered(
        new Route.Interrupt(bank.id(), a.number().getAsInt(), OptionalInt.empty()),
        Optional.empty());
  }

  /// {@return where a write leaves a guest's window: outside it the hypervisor decides}
  OptionalLong translate(IommuDescription.PaprTce window, long address, String in) {
    if (window.window().contains(address)) {
      trail.cannotSee(
          window.id(),
          in,
          "the address is one of the guest's DMA window, whose TCEs the hypervisor keeps",
          window.source());
      return OptionalLong.empty();
    }
    trail.derived(
        window.id(),
        in,
        in,
        "the address lies outside the guest's DMA window %s: it is one that the hypervisor gave for messages"
            .formatted(window.window()),
        window.source());
    return OptionalLong.of(address);
  }

  /// {@return the rest of a message's way, as far as the bridge}
  Route deliver(
      MsiControllerDescription.PhbMsi msi, SurveyedFunction f, int vector, long address, int data) {
    PhbMessageWalker.Arrival a =
        new PhbMessageWalker(msi.id(), msi.first(), msi.count())
            .arrive(address, data, Basis.DERIVED);
    trail.derived(a.hop().at(), a.hop().in(), a.hop().out(), a.hop().why(), msi.source());
    if (a.number().isEmpty()) {
      trail.breaks(a.hop().why());
      return trail.stopped();
    }
    int number = a.number().getAsInt();
    Optional<Power8Bridge> power8 =
        Power8Bridge.of(machine).stream()
            .filter(b -> b.messages().id().equals(msi.id()))
            .findFirst();
    Optional<MachineState.Block> block =
        power8.flatMap(b -> state.block(kind(b.phb()), b.registers()));
    if (block.isPresent()) {
      return presented(power8.get(), block.get(), f, number);
    }
    Optional<PowerBridge> bridge =
        PowerBridge.of(machine).stream()
            .filter(b -> b.messages().id().equals(msi.id()))
            .findFirst();
    Optional<MachineState.Block> live =
        bridge.flatMap(b -> state.block(kind(b.phb()), b.registers()));
    if (live.isPresent()) {
      return followed(bridge.get(), live.get(), f, number);
    }
    String out = "MSI number " + number;
    return known(f, vector, HOST_CHIP, out)
        ? trail.delivered(
            new Route.Interrupt(msi.id(), number, OptionalInt.empty()), Optional.empty())
        : trail.cannotSee(
            msi.id(),
            out,
            "whether its PE owns it, and where it is sent, stands in tables that cannot be seen, and the kernel's record has no line of it",
            msi.source());
  }

  private static String kind(IommuDescription.Phb phb) {
    return phb.kind().equals("PHB3") ? "phb3" : "phb4";
  }

  private static int rid(SurveyedFunction f) {
    return f.stream().map(SurveyedFunction.Stream::streamId).orElse(f.requesterId());
  }

  /// {@return the rest of a message's way through an entry that can be seen, which names the server}
  private Route presented(
      Power8Bridge bridge, MachineState.Block block, SurveyedFunction f, int number) {
    PhbWalk owned =
        new PhbWalker(bridge.phb().id(), block.registers(), state.memory()).message(rid(f), number);
    trail.hops(owned.hops());
    if (owned.server().isEmpty()) {
      trail.breaks(owned.stoppedAt().orElse("the walk ended"));
      return trail.stopped();
    }
    int server = owned.server().getAsInt();
    for (int cpu = 0; cpu < bridge.servers().size(); cpu++) {
      if (bridge.servers().get(cpu).number() == server) {
        trail.derived(
            "interrupt server 0x%x".formatted(server),
            "server 0x%x".formatted(server),
            "interrupt 0x%x".formatted(bridge.messages().first() + number),
            "its presentation controller gives the CPU the number of the interrupt",
            bridge.messages().source());
        return trail.delivered(
            new Route.Interrupt(bridge.messages().id(), number, OptionalInt.of(cpu)),
            Optional.empty());
      }
    }
    trail.breaks("the machine has no interrupt server 0x%x".formatted(server));
    return trail.stopped();
  }

  /// {@return the rest of a message's way through tables that can be seen: owner and state in the bridge, then the interrupt controller}
  private Route followed(
      PowerBridge bridge, MachineState.Block block, SurveyedFunction f, int number) {
    PhbWalk owned =
        new PhbWalker(bridge.phb().id(), block.registers(), state.memory()).message(rid(f), number);
    trail.hops(owned.hops());
    if (owned.number().isEmpty()) {
      trail.breaks(owned.stoppedAt().orElse("the walk ended"));
      return trail.stopped();
    }
    XiveWalk event =
        new XiveWalker(
                "xive@0x" + Long.toHexString(bridge.controller().start()),
                bridge.isPower10() ? XiveGeneration.SECOND : XiveGeneration.FIRST,
                state
                    .block("xive", bridge.controller())
                    .map(MachineState.Block::registers)
                    .orElse(Map.of()),
                state.memory())
            .walk((int) bridge.messages().first() + number);
    trail.hops(event.hops());
    if (event.thread().isEmpty()) {
      trail.breaks(event.stoppedAt().orElse("the walk ended"));
      return trail.stopped();
    }
    return trail.delivered(
        new Route.Interrupt(bridge.messages().id(), number, event.thread()), Optional.empty());
  }

  /// {@return the rest of a message's way, as far as the guest sees it}
  Route deliver(
      MsiControllerDescription.PaprMsi msi,
      SurveyedFunction f,
      int vector,
      long address,
      int data) {
    String in = RouteWalker.write(address, data);
    String out = "interrupt 0x%x of the guest".formatted(data);
    trail.derived(
        msi.id(),
        in,
        out,
        "the hypervisor programmed the function (ibm,change-msi) and numbered the interrupt; the datum is that number",
        msi.source());
    Optional<PaprBridge> bridge =
        PaprBridge.of(machine).stream().filter(b -> b.messages().id().equals(msi.id())).findFirst();
    Optional<MachineState.Block> live =
        bridge.flatMap(
            b -> state.blocks("papr").stream().filter(k -> k.base() == b.buid()).findFirst());
    if (live.isPresent()) {
      return presented(bridge.get(), live.get(), data);
    }
    return known(f, vector, GUEST_CHIP, out)
        ? trail.delivered(
            new Route.Interrupt(msi.id(), data, OptionalInt.empty()), Optional.empty())
        : trail.cannotSee(
            msi.id(),
            out,
            "what the hypervisor does with it cannot be seen, and the kernel's record has no line of it",
            msi.source());
  }

  /// {@return the rest of a message's way, by what the hypervisor tells of its source}
  private Route presented(PaprBridge bridge, MachineState.Block block, int number) {
    PaprWalker.Presented p = new PaprWalker(bridge.messages().id(), block.registers()).walk(number);
    trail.hops(p.hops());
    int cpu = bridge.servers().indexOf((long) p.server().orElse(-1));
    if (cpu < 0) {
      trail.breaks(p.hops().getLast().why());
      return trail.stopped();
    }
    return trail.delivered(
        new Route.Interrupt(bridge.messages().id(), number, OptionalInt.of(cpu)),
        Optional.of(!p.held()));
  }

  /// {@return whether the kernel wrote down that it has this vector}
  private boolean known(SurveyedFunction f, int vector, String chip, String in) {
    if (state.basis() == Basis.DERIVED) {
      return false;
    }
    long hwirq = hwirq(f.sbdf(), vector);
    Optional<Recorded.Interrupt> line =
        machine.recorded().interrupts().stream()
            .filter(i -> i.chip().equals(chip) && i.hwirq().equals(Long.toString(hwirq)))
            .findFirst();
    line.ifPresent(i ->
        trail.recorded(
            "interrupt controller",
            in,
            "irq %d of the kernel, counted %d".formatted(i.irq(), i.count()),
            "the kernel has it as %s %s, which is domain, requester id and vector; to which processor it goes cannot be seen"
                .formatted(i.chip(), i.hwirq()),
            i.source()));
    return line.isPresent();
  }

  private static long hwirq(Sbdf function, int vector) {
    long domain = (long) function.segment() << DOMAIN_SHIFT;
    return domain + ((long) function.requesterId() << REQUESTER_SHIFT) + vector;
  }
}
