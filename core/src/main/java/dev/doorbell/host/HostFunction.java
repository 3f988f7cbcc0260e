package dev.doorbell.host;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.MsiDomain;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.SurveyedFunction;
import java.util.Optional;

/// A live function of a host: its registers, and its vectors of either kind.
///
/// @param msix its MSI-X vectors, if it has that capability
/// @param msi its MSI vectors, if it has that capability
public record HostFunction(
    SurveyedFunction surveyed,
    PciFunction pci,
    MsiDomain domain,
    Optional<MsiFunction> msix,
    Optional<MsiFunction> msi) {

  /// The vendor that is read where nothing answers, and of a VF.
  private static final int NOBODY = 0xffff;

  static HostFunction open(Machine machine, SurveyedFunction surveyed, MsiDomain domain) {
    Sbdf sbdf = surveyed.sbdf();
    ConfigSpace config = machine.config(sbdf);
    String where = "config space of " + sbdf;
    PciFunction pci =
        surveyed
            .pci()
            .physicalFunction()
            .map(pf -> PciFunction.virtual(sbdf, config, where, pf))
            .orElseGet(() -> PciFunction.of(sbdf, config, where));
    return new HostFunction(
        surveyed,
        pci,
        domain,
        pci.msix()
            .thing()
            .map(m ->
                MsiFunction.of(
                    sbdf.toString(),
                    m.table(bar(machine, sbdf, m.tableBar()), bar(machine, sbdf, m.pbaBar())),
                    domain)),
        pci.msi().thing().map(m -> MsiFunction.of(sbdf.toString(), m, domain)));
  }

  private static RegisterBus bar(Machine machine, Sbdf sbdf, int index) {
    return machine.bar(sbdf, index);
  }

  public Sbdf sbdf() {
    return surveyed.sbdf();
  }

  /// {@return whether a function of the machine answers at this address}
  boolean answers() {
    return surveyed.pci().physicalFunction().isPresent() || pci.vendor() != NOBODY;
  }

  /// {@return MSI-X where it has that, else MSI}
  public Optional<MsiFunction> vectors() {
    return msix.or(() -> msi);
  }

  /// Lets the function answer at its BARs and write to memory: without bus mastering it cannot send a message.
  ///
  /// {@return the command register as it was}
  int turnOn() {
    ConfigAccess header = ConfigAccess.header(pci.config());
    int before = (int) header.read(ConfigHeaderLayout.COMMAND);
    header.write(
        ConfigHeaderLayout.COMMAND,
        before
            | ConfigHeaderLayout.MEMORY_SPACE_ENABLE.mask()
            | ConfigHeaderLayout.BUS_MASTER_ENABLE.mask());
    return before;
  }

  /// Puts the command register back.
  void turnBack(int before) {
    ConfigAccess.header(pci.config()).write(ConfigHeaderLayout.COMMAND, before);
  }

  /// {@return where its MSI-X table lies, for people}
  public Optional<String> tablePlace() {
    return pci.msix().thing().map(HostFunction::place);
  }

  private static String place(MsixCapability m) {
    return "BAR %d+0x%x".formatted(m.tableBar(), m.tableOffset());
  }
}
