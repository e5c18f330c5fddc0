// Each manager in figures, and the button that hands leadership over.

import { useRef, useState } from 'react';
import { useSource } from '../../gateway/live-context';
import type { Manager, Raft } from '../../model/raft';
import { StateMark, type Tone } from '../../parts/state-mark';
import { roleWord } from './raft-ring';

export function ManagerTable({ raft }: { readonly raft: Raft }) {
  const [chosen, setChosen] = useState<string>();
  return (
    <>
      <div className="scroll" tabIndex={0} role="region" aria-label="Managers, table">
        <table>
          <thead>
            <tr>
              <th scope="col">Manager</th>
              <th scope="col">Role</th>
              <th scope="col" className="number">
                Term
              </th>
              <th scope="col" className="number">
                Log end
              </th>
              <th scope="col" className="number">
                Behind
              </th>
              <th scope="col" className="number">
                Snapshot
              </th>
              <th scope="col" className="number">
                Disk
              </th>
              <th scope="col">Version</th>
              <th scope="col">
                <span className="unseen">What can be done</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {raft.managers.map((manager) => (
              <tr key={manager.id}>
                <th scope="row">{manager.id}</th>
                <td>
                  <StateMark tone={toneOf(manager)}>{roleWord(manager)}</StateMark>
                </td>
                <td className="number">{manager.term}</td>
                <td className="number">{manager.matchIndex}</td>
                <td className="number">{Math.max(0, raft.lastIndex - manager.matchIndex)}</td>
                <td className="number">{manager.snapshotIndex ?? '–'}</td>
                <td className="number">
                  {manager.diskLatencyMs === undefined
                    ? '–'
                    : `${manager.diskLatencyMs.toFixed(1)} ms`}
                </td>
                <td className="soft">{manager.version ?? '–'}</td>
                <td className="number">
                  <button
                    className="plain"
                    disabled={
                      raft.leaderId === null ||
                      manager.id === raft.leaderId ||
                      !manager.isVoter ||
                      !manager.healthy
                    }
                    onClick={() => setChosen(manager.id)}
                  >
                    Make leader<span className="unseen"> of {manager.id}</span>
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen === undefined ? null : (
        <TransferDialog from={raft.leaderId} to={chosen} onClose={() => setChosen(undefined)} />
      )}
    </>
  );
}

function toneOf({ role, healthy, isRecovering }: Manager): Tone {
  if (role === 'unreachable') return 'bad';
  if (role === 'candidate' || role === 'preCandidate' || isRecovering) return 'warn';
  return healthy ? 'good' : 'warn';
}

function TransferDialog(props: {
  readonly from: string | null;
  readonly to: string;
  readonly onClose: () => void;
}) {
  const { from, to, onClose } = props;
  const { client } = useSource();
  const isAsking = useRef(false);
  const [problem, setProblem] = useState<string>();
  const transfer = () => {
    if (isAsking.current) return;
    isAsking.current = true;
    client.post('/v1/cluster/leader', { to }).then(onClose, (thrown: unknown) => {
      isAsking.current = false;
      setProblem(thrown instanceof Error ? thrown.message : String(thrown));
    });
  };
  return (
    <dialog
      ref={(dialog) => {
        if (dialog !== null && !dialog.open) dialog.showModal();
      }}
      onClose={onClose}
      aria-labelledby="transfer-title"
    >
      <h2 id="transfer-title">Hand leadership to {to}?</h2>
      <p>
        {from ?? 'The leader'} lets {to} catch up and steps down. Writes wait for a moment; nothing
        is lost.
      </p>
      {problem === undefined ? null : (
        <p role="alert">
          <StateMark tone="bad">{problem}</StateMark>
        </p>
      )}
      <div className="choices">
        <button className="plain" onClick={onClose}>
          Leave it
        </button>
        <button className="strong" onClick={transfer}>
          Make {to} leader
        </button>
      </div>
    </dialog>
  );
}
