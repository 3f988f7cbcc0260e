/// Whether passthrough with MSI is possible on a Linux host, for which functions, whether it is safe, and what stands against it: findings, each with its source and
/// its cure. Works on the running machine and on captures of others, without privilege as far as the files go; what it could not see is told apart from what is not there.
@NullMarked
package dev.doorbell.doctor;

import org.jspecify.annotations.NullMarked;
