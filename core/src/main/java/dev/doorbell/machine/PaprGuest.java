package dev.doorbell.machine;

import dev.doorbell.hw.papr.PaprFunctions;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.Optional;

/// The functions of one host bridge of a machine, by requester id.
///
/// @param segment the bridge's
public record PaprGuest(Machine machine, int segment) implements PaprFunctions {
  @Override
  public Optional<ConfigSpace> config(int rid) {
    return Optional.of(machine.config(Sbdf.of(segment, rid))).filter(c -> c.size() > 0);
  }

  @Override
  public Optional<MessageTable> table(int rid, MessageTable.Kind kind) {
    Sbdf sbdf = Sbdf.of(segment, rid);
    return config(rid)
        .map(c -> PciFunction.of(sbdf, c, "config space of " + sbdf))
        .flatMap(f ->
            switch (kind) {
              case MSI -> f.msi().thing().map(m -> m);
              case MSIX ->
                  f.msix()
                      .thing()
                      .map(m ->
                          m.table(machine.bar(sbdf, m.tableBar()), machine.bar(sbdf, m.pbaBar())));
            });
  }
}
