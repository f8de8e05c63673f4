// Written by contracts/scripts/build.ts with solc 0.8.37+commit.f401782d.Emscripten.clang. Do not edit: npm run build:contracts.

export const releaseRegistryAbi = [
  {
    "inputs": [],
    "stateMutability": "nonpayable",
    "type": "constructor"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "channel",
        "type": "bytes32"
      }
    ],
    "name": "AlreadyHalted",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      }
    ],
    "name": "AlreadyRegistered",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signer",
        "type": "address"
      }
    ],
    "name": "ApprovalRefused",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "channel",
        "type": "bytes32"
      }
    ],
    "name": "ChannelEmpty",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "counter",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "expected",
        "type": "uint32"
      }
    ],
    "name": "CounterMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint40",
        "name": "pendingFrom",
        "type": "uint40"
      },
      {
        "internalType": "uint256",
        "name": "time",
        "type": "uint256"
      }
    ],
    "name": "DelayNotOver",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint24",
        "name": "delay",
        "type": "uint24"
      },
      {
        "internalType": "uint24",
        "name": "maximum",
        "type": "uint24"
      }
    ],
    "name": "DelayTooLong",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "epoch",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "expected",
        "type": "uint32"
      }
    ],
    "name": "EpochMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "uint256",
        "name": "time",
        "type": "uint256"
      }
    ],
    "name": "Expired",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "halts",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "expected",
        "type": "uint32"
      }
    ],
    "name": "HaltsMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "string",
        "name": "name",
        "type": "string"
      }
    ],
    "name": "InvalidName",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "InvalidShortString",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "string",
        "name": "version",
        "type": "string"
      }
    ],
    "name": "InvalidVersion",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "MissingDigest",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "MissingPublisher",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "MissingTrustRoot",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      }
    ],
    "name": "NoGuardian",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "approver",
        "type": "address"
      }
    ],
    "name": "NotApprover",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "pending",
        "type": "bytes32"
      }
    ],
    "name": "NotVetoable",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      }
    ],
    "name": "NothingPending",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "pending",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      }
    ],
    "name": "PendingMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "version",
        "type": "bytes32"
      },
      {
        "internalType": "uint8",
        "name": "status",
        "type": "uint8"
      }
    ],
    "name": "ReleaseNotActive",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "rollbackIndex",
        "type": "uint32"
      },
      {
        "internalType": "uint256",
        "name": "maximum",
        "type": "uint256"
      }
    ],
    "name": "RollbackIndexTooHigh",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "firstShare",
        "type": "uint16"
      },
      {
        "internalType": "uint16",
        "name": "maximum",
        "type": "uint16"
      }
    ],
    "name": "ShareTooLarge",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "string",
        "name": "str",
        "type": "string"
      }
    ],
    "name": "StringTooLong",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      }
    ],
    "name": "UnknownProduct",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "version",
        "type": "bytes32"
      }
    ],
    "name": "VersionTaken",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint40",
        "name": "installableFrom",
        "type": "uint40"
      },
      {
        "internalType": "uint256",
        "name": "time",
        "type": "uint256"
      }
    ],
    "name": "VetoWindowClosed",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint48",
        "name": "sequence",
        "type": "uint48"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "pending",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "publisher",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "guardian",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint24",
        "name": "delay",
        "type": "uint24"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "trustRoot",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "epoch",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "previousBlock",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "time",
        "type": "uint40"
      }
    ],
    "name": "Applied",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [],
    "name": "EIP712DomainChanged",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint48",
        "name": "sequence",
        "type": "uint48"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "channel",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "approver",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "halts",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "counter",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "previousBlock",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "time",
        "type": "uint40"
      }
    ],
    "name": "Halted",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint48",
        "name": "sequence",
        "type": "uint48"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "channel",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "version",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "counter",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "start",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "duration",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint16",
        "name": "firstShare",
        "type": "uint16"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "previousBlock",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "time",
        "type": "uint40"
      }
    ],
    "name": "Promoted",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint48",
        "name": "sequence",
        "type": "uint48"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "version",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "image",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "attestation",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "rollbackIndex",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "installableFrom",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "previousBlock",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "time",
        "type": "uint40"
      }
    ],
    "name": "Published",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint48",
        "name": "sequence",
        "type": "uint48"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "trustRoot",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "name",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "publisher",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "guardian",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint24",
        "name": "delay",
        "type": "uint24"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "predecessor",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "previousBlock",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "time",
        "type": "uint40"
      }
    ],
    "name": "Registered",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint48",
        "name": "sequence",
        "type": "uint48"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "version",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "approver",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "previousBlock",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "time",
        "type": "uint40"
      }
    ],
    "name": "Revoked",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint48",
        "name": "sequence",
        "type": "uint48"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "pending",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "publisher",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "guardian",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint24",
        "name": "delay",
        "type": "uint24"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "trustRoot",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "signedEpoch",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "pendingFrom",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "bool",
        "name": "vetoable",
        "type": "bool"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "previousBlock",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "time",
        "type": "uint40"
      }
    ],
    "name": "Scheduled",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "uint48",
        "name": "sequence",
        "type": "uint48"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "pending",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "guardian",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "previousBlock",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "time",
        "type": "uint40"
      }
    ],
    "name": "Vetoed",
    "type": "event"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "address",
        "name": "publisher",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "guardian",
        "type": "address"
      },
      {
        "internalType": "uint24",
        "name": "delay",
        "type": "uint24"
      },
      {
        "internalType": "bytes32",
        "name": "trustRoot",
        "type": "bytes32"
      },
      {
        "internalType": "uint32",
        "name": "epoch",
        "type": "uint32"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "uint64",
        "name": "acceptDeadline",
        "type": "uint64"
      },
      {
        "internalType": "bytes",
        "name": "acceptance",
        "type": "bytes"
      }
    ],
    "name": "applyConfiguration",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "address",
        "name": "publisher",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "guardian",
        "type": "address"
      },
      {
        "internalType": "uint24",
        "name": "delay",
        "type": "uint24"
      },
      {
        "internalType": "bytes32",
        "name": "trustRoot",
        "type": "bytes32"
      },
      {
        "internalType": "uint32",
        "name": "epoch",
        "type": "uint32"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "bytes",
        "name": "approval",
        "type": "bytes"
      }
    ],
    "name": "configure",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "eip712Domain",
    "outputs": [
      {
        "internalType": "bytes1",
        "name": "fields",
        "type": "bytes1"
      },
      {
        "internalType": "string",
        "name": "name",
        "type": "string"
      },
      {
        "internalType": "string",
        "name": "version",
        "type": "string"
      },
      {
        "internalType": "uint256",
        "name": "chainId",
        "type": "uint256"
      },
      {
        "internalType": "address",
        "name": "verifyingContract",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "salt",
        "type": "bytes32"
      },
      {
        "internalType": "uint256[]",
        "name": "extensions",
        "type": "uint256[]"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "string",
        "name": "channel",
        "type": "string"
      },
      {
        "internalType": "uint32",
        "name": "halts",
        "type": "uint32"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "address",
        "name": "approver",
        "type": "address"
      },
      {
        "internalType": "bytes",
        "name": "approval",
        "type": "bytes"
      }
    ],
    "name": "halt",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "string",
        "name": "channel",
        "type": "string"
      }
    ],
    "name": "head",
    "outputs": [
      {
        "components": [
          {
            "internalType": "bytes32",
            "name": "version",
            "type": "bytes32"
          },
          {
            "internalType": "uint32",
            "name": "counter",
            "type": "uint32"
          },
          {
            "internalType": "uint40",
            "name": "start",
            "type": "uint40"
          },
          {
            "internalType": "uint32",
            "name": "duration",
            "type": "uint32"
          },
          {
            "internalType": "uint16",
            "name": "firstShare",
            "type": "uint16"
          },
          {
            "internalType": "bool",
            "name": "halted",
            "type": "bool"
          },
          {
            "internalType": "uint32",
            "name": "halts",
            "type": "uint32"
          }
        ],
        "internalType": "struct Head",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      }
    ],
    "name": "historyOf",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "string",
        "name": "version",
        "type": "string"
      }
    ],
    "name": "isInstallable",
    "outputs": [
      {
        "internalType": "bool",
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "id",
        "type": "bytes32"
      }
    ],
    "name": "product",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "publisher",
            "type": "address"
          },
          {
            "internalType": "uint48",
            "name": "sequence",
            "type": "uint48"
          },
          {
            "internalType": "uint32",
            "name": "topIndex",
            "type": "uint32"
          },
          {
            "internalType": "address",
            "name": "guardian",
            "type": "address"
          },
          {
            "internalType": "uint24",
            "name": "delay",
            "type": "uint24"
          },
          {
            "internalType": "uint32",
            "name": "epoch",
            "type": "uint32"
          },
          {
            "internalType": "uint40",
            "name": "lastBlock",
            "type": "uint40"
          },
          {
            "internalType": "bytes32",
            "name": "history",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "trustRoot",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "pending",
            "type": "bytes32"
          },
          {
            "internalType": "uint40",
            "name": "pendingFrom",
            "type": "uint40"
          },
          {
            "internalType": "bool",
            "name": "vetoable",
            "type": "bool"
          }
        ],
        "internalType": "struct Product",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "publisher",
        "type": "address"
      },
      {
        "internalType": "string",
        "name": "name",
        "type": "string"
      }
    ],
    "name": "productId",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "string",
        "name": "channel",
        "type": "string"
      },
      {
        "internalType": "string",
        "name": "version",
        "type": "string"
      },
      {
        "internalType": "uint32",
        "name": "counter",
        "type": "uint32"
      },
      {
        "internalType": "uint40",
        "name": "start",
        "type": "uint40"
      },
      {
        "internalType": "uint32",
        "name": "duration",
        "type": "uint32"
      },
      {
        "internalType": "uint16",
        "name": "firstShare",
        "type": "uint16"
      },
      {
        "internalType": "uint32",
        "name": "epoch",
        "type": "uint32"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "bytes",
        "name": "approval",
        "type": "bytes"
      }
    ],
    "name": "promote",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "string",
        "name": "version",
        "type": "string"
      },
      {
        "internalType": "bytes32",
        "name": "image",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "attestation",
        "type": "bytes32"
      },
      {
        "internalType": "uint32",
        "name": "rollbackIndex",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "epoch",
        "type": "uint32"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "bytes",
        "name": "approval",
        "type": "bytes"
      }
    ],
    "name": "publish",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "publisher",
        "type": "address"
      },
      {
        "internalType": "string",
        "name": "name",
        "type": "string"
      },
      {
        "internalType": "address",
        "name": "guardian",
        "type": "address"
      },
      {
        "internalType": "uint24",
        "name": "delay",
        "type": "uint24"
      },
      {
        "internalType": "bytes32",
        "name": "trustRoot",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "predecessor",
        "type": "bytes32"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "bytes",
        "name": "approval",
        "type": "bytes"
      }
    ],
    "name": "register",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "registrations",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "string",
        "name": "version",
        "type": "string"
      }
    ],
    "name": "release",
    "outputs": [
      {
        "components": [
          {
            "internalType": "bytes32",
            "name": "commitment",
            "type": "bytes32"
          },
          {
            "internalType": "uint8",
            "name": "status",
            "type": "uint8"
          },
          {
            "internalType": "uint32",
            "name": "rollbackIndex",
            "type": "uint32"
          },
          {
            "internalType": "uint40",
            "name": "publishedAt",
            "type": "uint40"
          },
          {
            "internalType": "uint40",
            "name": "installableFrom",
            "type": "uint40"
          },
          {
            "internalType": "uint48",
            "name": "sequence",
            "type": "uint48"
          }
        ],
        "internalType": "struct Release",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "string",
        "name": "version",
        "type": "string"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "address",
        "name": "approver",
        "type": "address"
      },
      {
        "internalType": "bytes",
        "name": "approval",
        "type": "bytes"
      }
    ],
    "name": "revoke",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "pending",
        "type": "bytes32"
      },
      {
        "internalType": "uint64",
        "name": "deadline",
        "type": "uint64"
      },
      {
        "internalType": "bytes",
        "name": "approval",
        "type": "bytes"
      }
    ],
    "name": "veto",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  }
] as const;

/** Creation code. The constructor takes no arguments. */
export const releaseRegistryBytecode =
  '0x6101606040523461013257604051610018604082610136565b601281526020810190714669726d70726f6f6620526567697374727960701b825260405191610048604084610136565b600183526020830191603160f81b83526100618161016d565b6101205261006e8461016d565b61014052519020918260e05251902080610100524660a0526040519060208201927f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f8452604083015260608201524660808201523060a082015260a081526100d760c082610136565b5190206080523060c052604051613b5490816101d9823960805181613900015260a051816139b7015260c051816138d1015260e0518161394f0152610100518161397501526101205181611086015261014051816110af0152f35b5f80fd5b601f909101601f19168101906001600160401b0382119082101761015957604052565b634e487b7160e01b5f52604160045260245ffd5b601f815111610198576020815191015160208210610189571790565b5f198260200360031b1b161790565b604460209160405192839163305a27a960e01b83528160048401528051918291826024860152018484015e5f828201840152601f01601f19168101030190fdfe60806040526004361015610011575f80fd5b5f3560e01c806301392f8814611feb578063353e1b8514611f895780633eb6d3c114611f1557806346ec06e514611eda57806364ebdfac14611b9057806368d63147146119a85780637721b992146114d0578063793c57b7146111cc57806382dcb42b1461118257806384b0196e146110505780639ccb251814610bde578063b224149c146109cb578063ba02794d146108c0578063d057eb9214610479578063e8a1da4d146101bb5763fb3631f2146100c9575f80fd5b346101b75761011a6100da366121fb565b9092915f60a06040516100ec81612384565b82815282602082015282604082015282606082015282608082015201525f52600260205260405f2092612ce2565b5f5260205260c060405f2065ffffffffffff60405161013881612384565b64ffffffffff6001845494858452015491816020820160ff8516815263ffffffff60408401818760081c16815260ff6060860193858960281c1685528960a06080890198888c60501c168a52019960781c1689526040519a8b52511660208a0152511660408801525116606086015251166080840152511660a0820152f35b5f80fd5b346101b7576101007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b7576004356101f6612270565b6101fe612293565b6102066122b6565b92608435916102136122c8565b61021b6121b6565b60e43567ffffffffffffffff81116101b75761023b9036906004016121cd565b92909561024786612492565b98610252838b613477565b88848484848a6102638383886133c3565b61026d958d613239565b978a5473ffffffffffffffffffffffffffffffffffffffff169561029391868b8961255b565b60018a019586549073ffffffffffffffffffffffffffffffffffffffff169073ffffffffffffffffffffffffffffffffffffffff81168214159687610459575b5086610441575b86610433575b60a01c62ffffff164264ffffffffff16906102fa91612476565b96610304856123e1565b81547fffffffffff00000000ffffffffffffffffffffffffffffffffffffffffffffff1660b89190911b7affffffff0000000000000000000000000000000000000000000000161790558860048c015560058b019664ffffffffff16958688547fffffffffffffffffffffffffffffffffffffffffffffffffffffff000000000016178855159680548860281b65ff000000000016907fffffffffffffffffffffffffffffffffffffffffffffffffffff00ffffffffff161790556040519973ffffffffffffffffffffffffffffffffffffffff1660208b015260408a015262ffffff166060890152608088015263ffffffff1660a087015267ffffffffffffffff1660c086015260e08501526101008401526101008352610428610120846123a0565b61043193612b79565b005b60038c0154841496506102e0565b955062ffffff8660a01c1662ffffff831614956102da565b73ffffffffffffffffffffffffffffffffffffffff8c161496508c6102d3565b346101b7576101407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b75760243567ffffffffffffffff81116101b7576104c99036906004016121cd565b60443567ffffffffffffffff81116101b7576104e99036906004016121cd565b90919060643563ffffffff811681036101b75764ffffffffff60843516608435036101b7576105166122c8565b61ffff60c4351660c435036101b75760e4359563ffffffff871687036101b757610104359567ffffffffffffffff871687036101b7576101243567ffffffffffffffff81116101b75761056d9036906004016121cd565b61057a888599939961303f565b976105858885612ce2565b99610591600435612492565b9861059c8d8b613477565b61271061ffff60c43516116108885760019c6004355f528d60205260405f208c5f5260205260405f209d8e01549663ffffffff881663ffffffff6105df826123e1565b1663ffffffff8d160361084757506105f98e6004356132ce565b6001015460501c64ffffffffff16988c5473ffffffffffffffffffffffffffffffffffffffff1697369061062c926123f9565b8051906020012092369061063f926123f9565b8051906020012060405192602084017f5cda4d4e1a61b52e28b539db6d8ad39e3cface133b1cdcbe86393e91bebc9d4c905260043560408501526060840152608083015263ffffffff8a1660a083015260843564ffffffffff1660c083015263ffffffff891660e083015260c43561ffff1661010083015263ffffffff1661012082015267ffffffffffffffff821661014082015261014081526106e5610160826123a0565b805190602001206106f59461255b565b60781c60ff165f149663ffffffff809461073f64ffffffffff946104319b61083c5761073a61073262ffffff60018c015460a01c16884216612476565b6084356134c1565b6134c1565b928981558282167fffffffffffffffffffffffffffffffffffffffffffffffffffffffff0000000060018301541617600182015560017fffffffffffffffffffffffffffffffff00ffffffffffffffffffffffffffffff818301547fffffffffffffffffffffffffffffffffff0000000000000000000000ffffffff68ffffffffff000000008860201b16911617166cffffffff0000000000000000008860481b16176effff0000000000000000000000000060c43560681b16179101556040519860208a015216604088015216606086015216608084015261ffff60c4351660a084015260a0835261083360c0846123a0565b60043590612abd565b61073a864216610732565b8b63ffffffff61085781936123e1565b917f5d6f6d52000000000000000000000000000000000000000000000000000000005f52166004521660245260445ffd5b7fac8cd3bb000000000000000000000000000000000000000000000000000000005f5261ffff60c4351660045261271060245260445ffd5b346101b7576109176108d1366121fb565b9092915f60c06040516108e381612368565b8281528260208201528260408201528260608201528260808201528260a082015201525f52600160205260405f209261303f565b5f5260205260e060405f2063ffffffff60405161093381612368565b600183549384835201549061ffff602082018484168152846040840164ffffffffff8660201c16815264ffffffffff6060860191838860481c168352836080880195878a60681c1687528160c060a08b019a60ff8d60781c1615158c52019a60801c168a526040519b8c52511660208b015251166040890152511660608701525116608085015251151560a0840152511660c0820152f35b346101b75760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b757604051610a068161231e565b5f8152602081015f9052604081015f9052606081015f9052608081015f905260a081015f905260c081015f905260e081015f905261010081015f905261012081015f905261014081015f9052610160015f90526004355f525f60205260405f20604051610a728161231e565b81549073ffffffffffffffffffffffffffffffffffffffff82169283825260208201928060a01c65ffffffffffff168452604083019060d01c63ffffffff1681526001820154606084019073ffffffffffffffffffffffffffffffffffffffff81168252608085018160a01c62ffffff16815260a08601908260b81c63ffffffff16825260c087019260d81c835260028601549360e0880194855260038701549561010089019687526004880154976101208a0198895260050154996101408a019964ffffffffff8c168b52610160019a60281c60ff1615158b526040519b8c525165ffffffffffff1660208c01525163ffffffff1660408b01525173ffffffffffffffffffffffffffffffffffffffff1660608a01525162ffffff1660808901525163ffffffff1660a08801525164ffffffffff1660c08701525160e086015251610100850152516101208401525164ffffffffff1661014083015251151561016082015261018090f35b346101b7576101007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b75760243567ffffffffffffffff81116101b757610c2e9036906004016121cd565b90606435906084359063ffffffff821682036101b757610c4c6122c8565b90610c556121b6565b9260e43567ffffffffffffffff81116101b757610c769036906004016121cd565b90610c818885612ce2565b95610c8d600435612492565b95610c988188613477565b604435158015611048575b6110205786549560d087901c63ffffffff1660018101908110610f8c578063ffffffff881611610feb57506004355f52600260205260405f20895f5260205260405f209a60ff60018d015416610fb957610da99594939291610d069136916123f9565b602081519101209063ffffffff6040519160208301937fffb14d2fc2028f75fbbc4181ab9a2b50819833b3bded20e3db886fa643c9994885526004356040850152606084015260443560808401528c60a084015281891660c08401521660e082015267ffffffffffffffff83166101008201526101008152610d8a610120826123a0565b51902073ffffffffffffffffffffffffffffffffffffffff871661255b565b610dc662ffffff600185015460a01c1664ffffffffff4216612476565b906040516020810190604435825287604082015260408152610de96060826123a0565b519020875560017fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00818901541617600188015560018701549069ffffffffff00000000004260281b166effffffffff000000000000000000008460501b16927fffffffffffffffffffffffffffffffffff0000000000000000000000000000ff64ffffffff008460081b1691161794838683171760018b0155600165ffffffffffff885460a01c16019965ffffffffffff8b11610f8c57600164ffffffffff9763ffffffff9687957fffffffffffffffffffffff000000000000ffffffffffffffffffffffffffffff6104319f74ffffffffffff0000000000000000000000000000009060781b16931617171791015560d01c1682821611610f3b575b604051966044356020890152604088015216606086015216608084015260808352610f3260a0846123a0565b60043590612a01565b84547fffff00000000ffffffffffffffffffffffffffffffffffffffffffffffffffff7dffffffff00000000000000000000000000000000000000000000000000008360d01b169116178555610f06565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52601160045260245ffd5b897f6986f8f0000000000000000000000000000000000000000000000000000000005f5260043560045260245260445ffd5b63ffffffff877f6531a1e3000000000000000000000000000000000000000000000000000000005f521660045260245260445ffd5b7f89b5e46b000000000000000000000000000000000000000000000000000000005f5260045ffd5b508815610ca3565b346101b7575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b7576111266110aa7f0000000000000000000000000000000000000000000000000000000000000000613863565b6110d37f0000000000000000000000000000000000000000000000000000000000000000613863565b6020611134604051926110e683856123a0565b5f84525f3681376040519586957f0f00000000000000000000000000000000000000000000000000000000000000875260e08588015260e08701906122db565b9085820360408701526122db565b4660608501523060808501525f60a085015283810360c08501528180845192838152019301915f5b82811061116b57505050500390f35b83518552869550938101939281019260010161115c565b346101b75760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b7576004355f525f6020526020600260405f200154604051908152f35b346101b75760c07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b75760043560243567ffffffffffffffff81116101b75761121e9036906004016121cd565b906044359263ffffffff84168085036101b7576064359467ffffffffffffffff8616918287036101b7576084359473ffffffffffffffffffffffffffffffffffffffff8616968787036101b75760a43567ffffffffffffffff81116101b75761128b9036906004016121cd565b9099611297838561303f565b986112a189612492565b97895f52600160205260405f208b5f5260205260405f208054156114a0576001019586549560ff8760781c166114705763ffffffff8760801c1663ffffffff6112e9826123e1565b168a036114315750946104319e61139b95858e63ffffffff9d9c9b9a968f8f99976f010000000000000000000000000000009c61132c6113959a6113349461332f565b5036916123f9565b60208151910120906040519160208301937f39163d26bbdf24d804fb25b3091c5000e13ad5caa73e8b17c91895f48a9d3cfd8552604084015260608301528d608083015260a082015260a0815261138c60c0826123a0565b5190209061255b565b166123e1565b938585167fffffffffffffffffffffffffffffffffffffffffffffffffffffffff000000008454161783557fffffffffffffffffffffffff0000000000ffffffffffffffffffffffffffffff73ffffffff0000000000000000000000000000000084549260801b1691161717905560405196602088015260408701521660608501526060845261142c6080856123a0565b612945565b8961144063ffffffff926123e1565b907f8265458e000000000000000000000000000000000000000000000000000000005f526004521660245260445ffd5b8c8c7f2024a6ab000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b8b8b7f3ea9a1aa000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b346101b7576101007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b75761150861224d565b60243567ffffffffffffffff81116101b7576115289036906004016121cd565b9091611532612293565b9161153b6122b6565b906084359260a43561154b6121b6565b9160e43567ffffffffffffffff81116101b75761156c9036906004016121cd565b979098611579868261303f565b986115858989866133c3565b61158f8a856131f1565b9a8b5f525f60205260405f209773ffffffffffffffffffffffffffffffffffffffff89541661197c57611662936115c79136916123f9565b60208151910120966040519573ffffffffffffffffffffffffffffffffffffffff60208801967fb60c7f87308a97a20afb6b7be6f81420ce325830e467378a8cc0ac6275022e6788528183169a8b60408b015260608a0152169586608089015262ffffff8c16978860a08201528d60c08201528960e082015267ffffffffffffffff8416610100820152610100815261138c610120826123a0565b84547fffffffffffffffffffffffff000000000000000000000000000000000000000016841785556001850180547fffffffffffffffffff000000ffffffffffffffffffffffffffffffffffffffff83167fffffffffffffffffff00000000000000000000000000000000000000000000009091161760a09790971b76ffffff000000000000000000000000000000000000000016969096178655770100000000000000000000000000000000000000000000007fffffffffff00000000ffffffffffffffffffffffffffffffffffffffffffffff875416178655866003860155604051936020850198895260408501526060840152608083015260a082015260a0815261177160c0826123a0565b81549165ffffffffffff8360a01c169360018501809511610f8c5787938154906040518099602082017f12850aa93e79042b5b169a0fe7245288a6f386a5479132fea1472cd3c3f57340905287604083015288606083015289608083015260a0820196518091885e81018360d81c60a08201524260c08201520360a001602081018a52604001611801908a6123a0565b8660a01b79ffffffffffff000000000000000000000000000000000000000016907fffffffffffff000000000000ffffffffffffffffffffffffffffffffffffffff161783554360d81b7fffffffffff00000000000000000000000000000000000000000000000000000016907affffffffffffffffffffffffffffffffffffffffffffffffffffff16179055600201858154604051809160208201936118a8918561245d565b037fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0810182526118d890826123a0565b519020905584517fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff80017f12850aa93e79042b5b169a0fe7245288a6f386a5479132fea1472cd3c3f5734091a46003546040518091602082019361193b918561245d565b037fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe08101825261196b90826123a0565b519020600355604051908152602090f35b8c7f77caf672000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b346101b75760a07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b75760043560243567ffffffffffffffff81116101b7576119fa9036906004016121cd565b9190611a0461219f565b916064359173ffffffffffffffffffffffffffffffffffffffff8316938484036101b75760843567ffffffffffffffff81116101b757611a489036906004016121cd565b91611a538885612ce2565b95611a5d86612492565b94611a6888886132ce565b99611a73838861332f565b1580611b78575b611b3a579260019592611a976104319c9693611af39636916123f9565b6020815191012060405160208101917f5c2d579498a9c4c5433777b647168f76cfe63c9c369e5d665df604095b3163f983528b6040830152606082015267ffffffffffffffff841660808201526080815261138c60a0826123a0565b0160027fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0082541617905560405193602085015260208452611b356040856123a0565b612889565b64ffffffffff60018c015460501c167f12e9122f000000000000000000000000000000000000000000000000000000005f526004524260245260445ffd5b5064ffffffffff60018c015460501c16421015611a7a565b346101b7576101207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b757600435611bcb612270565b611bd3612293565b90611bdc6122b6565b92611be56122c8565b611bed6121b6565b60e4359467ffffffffffffffff8616958681036101b757610104359767ffffffffffffffff89116101b757611c29611c429936906004016121cd565b999094611c3588612492565b9660843584878c8c613239565b96611c4e8888886124ea565b64ffffffffff600587015416804210611eab57508660018701805460b81c63ffffffff1690885473ffffffffffffffffffffffffffffffffffffffff169073ffffffffffffffffffffffffffffffffffffffff85169c8d928314159e6104319f9a62ffffff9973ffffffffffffffffffffffffffffffffffffffff98611e1398611dd69763ffffffff9f611e4b575b955050505050507fffffffffffffffffffffffff00000000000000000000000000000000000000008b5416178a558488167fffffffffffffffffffffffff0000000000000000000000000000000000000000825416178155611d828682907fffffffffffffffffff000000ffffffffffffffffffffffffffffffffffffffff76ffffff000000000000000000000000000000000000000083549260a01b169116179055565b611d8b836123e1565b7fffffffffff00000000ffffffffffffffffffffffffffffffffffffffffffffff7affffffff000000000000000000000000000000000000000000000083549260b81b169116179055565b60843560038901555f60048901556005880180547fffffffffffffffffffffffffffffffffffffffffffffffffffff0000000000001690556123e1565b936040519960208b015216604089015216606087015260843560808701521660a085015260a08452611e4660c0856123a0565b6127cd565b611e9f966040519160208301937f7d91c9adff7a554cca759d1c2e0b4efef14698f03337ac4c58bbde32cd2658738552604084015260608301528a608083015260a082015260a0815261138c60c0826123a0565b8e80808f818f82611cdd565b7ff9dac0e8000000000000000000000000000000000000000000000000000000005f526004524260245260445ffd5b346101b7575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b7576020600354604051908152f35b346101b75760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b757611f4c61224d565b60243567ffffffffffffffff81116101b757602091611f7b611f75611f819336906004016121cd565b9061303f565b906131f1565b604051908152f35b346101b757611fae611f9a366121fb565b9092915f52600260205260405f2092612ce2565b5f526020526020600160405f200154600160ff8216149081611fd6575b506040519015158152f35b64ffffffffff915060501c1642101582611fcb565b346101b75760807ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101b75760043560243561202861219f565b9060643567ffffffffffffffff81116101b7576120499036906004016121cd565b939061205482612492565b906120608484846124ea565b60ff600583015460281c16156121735773ffffffffffffffffffffffffffffffffffffffff60018301541694851561214757956120fa916104319760405160208101907fb04b760686e68a9d651f3ed62b998ca13bb932413cfebf958434629a75143bd1825287604082015288606082015267ffffffffffffffff83166080820152608081526120f160a0826123a0565b5190208861255b565b5f60048201556005810180547fffffffffffffffffffffffffffffffffffffffffffffffffffff000000000000169055604051936020850152602084526121426040856123a0565b612632565b837f226a3c9d000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b837fc3d586c0000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b6044359067ffffffffffffffff821682036101b757565b60c4359067ffffffffffffffff821682036101b757565b9181601f840112156101b75782359167ffffffffffffffff83116101b757602083818601950101116101b757565b9060407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc8301126101b757600435916024359067ffffffffffffffff82116101b757612249916004016121cd565b9091565b6004359073ffffffffffffffffffffffffffffffffffffffff821682036101b757565b6024359073ffffffffffffffffffffffffffffffffffffffff821682036101b757565b6044359073ffffffffffffffffffffffffffffffffffffffff821682036101b757565b6064359062ffffff821682036101b757565b60a4359063ffffffff821682036101b757565b907fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0601f602080948051918291828752018686015e5f8582860101520116010190565b610180810190811067ffffffffffffffff82111761233b57604052565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52604160045260245ffd5b60e0810190811067ffffffffffffffff82111761233b57604052565b60c0810190811067ffffffffffffffff82111761233b57604052565b90601f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0910116810190811067ffffffffffffffff82111761233b57604052565b63ffffffff60019116019063ffffffff8211610f8c57565b92919267ffffffffffffffff821161233b5760405191612441601f82017fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe016602001846123a0565b8294818452818301116101b7578281602093845f960137010152565b602092839282528051928391018483015e01015f815290565b9064ffffffffff8091169116019064ffffffffff8211610f8c57565b90815f525f60205260405f209173ffffffffffffffffffffffffffffffffffffffff835416156124bf5750565b7f951e5918000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b60040154919082156125305750818103612502575050565b7f5e7ca0ad000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b7fe3b91e57000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b93929167ffffffffffffffff1680421161260357509060426125b993926125806138ba565b90604051917f190100000000000000000000000000000000000000000000000000000000000083526002830152602282015220846134e2565b156125c15750565b73ffffffffffffffffffffffffffffffffffffffff907f3a74ffa9000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b7f91cc37bc000000000000000000000000000000000000000000000000000000005f526004524260245260445ffd5b93929084549465ffffffffffff8660a01c169260018401809411610f8c577fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8082600260017f5272fb8886394d59905a52dfa0332faae7ee9c3f7afa4bad362e2a1a00459b53950191825492604051938760208601528860408601528960608601528a60808601526126ee604060a08760208282019b8051918291018d5e81018560d81c838201524260c0820152030160208101885201866123a0565b849c7fffffffffffff000000000000ffffffffffffffffffffffffffffffffffffffff79ffffffffffff00000000000000000000000000000000000000008c60a01b1691161783557affffffffffffffffffffffffffffffffffffffffffffffffffffff7fffffffffff0000000000000000000000000000000000000000000000000000004360d81b1691161790550180546040516127c2816127968660208301958661245d565b037fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe081018352826123a0565b5190209055510190a4565b93929084549465ffffffffffff8660a01c169260018401809411610f8c577fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8082600260017f8d0ca1ac247b01f393798a1d43ee31092870a37897bdd949a755f8097d97c71d950191825492604051938760208601528860408601528960608601528a60808601526126ee604060a08760208282019b8051918291018d5e81018560d81c838201524260c0820152030160208101885201866123a0565b93929084549465ffffffffffff8660a01c169260018401809411610f8c577fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8082600260017ffe022fbea175802a949f4cd0ef03d2c96d8fac20887baf4161d8fb6fc0489d9c950191825492604051938760208601528860408601528960608601528a60808601526126ee604060a08760208282019b8051918291018d5e81018560d81c838201524260c0820152030160208101885201866123a0565b93929084549465ffffffffffff8660a01c169260018401809411610f8c577fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8082600260017f568478bfd22cca52df43bfeb706818b7beed9a8d0c3967f9132afac50a684f08950191825492604051938760208601528860408601528960608601528a60808601526126ee604060a08760208282019b8051918291018d5e81018560d81c838201524260c0820152030160208101885201866123a0565b93929084549465ffffffffffff8660a01c169260018401809411610f8c577fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8082600260017fed403cfa8f46a1c21027618096502ff4608f404b7226b9669090a076c5cf31c5950191825492604051938760208601528860408601528960608601528a60808601526126ee604060a08760208282019b8051918291018d5e81018560d81c838201524260c0820152030160208101885201866123a0565b93929084549465ffffffffffff8660a01c169260018401809411610f8c577fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8082600260017fe751b1ed4048be3642ad906bd7fbb2f48dcdadecadd5b21bd2cb77d064a922ab950191825492604051938760208601528860408601528960608601528a60808601526126ee604060a08760208282019b8051918291018d5e81018560d81c838201524260c0820152030160208101885201866123a0565b93929084549465ffffffffffff8660a01c169260018401809411610f8c577fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8082600260017fa24da87e327bf347071566649a72b2c1b897afdb790c6c48117db4cefb231b1e950191825492604051938760208601528860408601528960608601528a60808601526126ee604060a08760208282019b8051918291018d5e81018560d81c838201524260c0820152030160208101885201866123a0565b90601f836040947fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe09360208652816020870152868601375f8582860101520116010190565b359060208110612c88575090565b7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff9060200360031b1b1690565b7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8114610f8c5760010190565b601f8211612f0557612cf48282612c7a565b925f5b6020811015612eb057612d0e85821a60f81b6137eb565b15612d2157612d1c90612cb5565b612cf7565b92600184148015612fd2575b93925f945b8080612fc8575b15612ee957506020841015612eb0577f2e000000000000000000000000000000000000000000000000000000000000007fff0000000000000000000000000000000000000000000000000000000000000087861a60f81b16149485612da8575b612da290612cb5565b94612d32565b9394509094916001850195868611610f8c57865b6020811015612eb057612dd385821a60f81b6137eb565b15612de657612de190612cb5565b612dbc565b909291939694957fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff9082030194818611610f8c5760018614958615612e31575b509495909450612d99565b90919550600181119081612edd575b5080612e53575b949050612da25f612e26565b506020811015612eb0577f30000000000000000000000000000000000000000000000000000000000000007fff0000000000000000000000000000000000000000000000000000000000000088612da2931a60f81b161415612e47565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52603260045260245ffd5b600f915011155f612e40565b9193909294508180612fbf575b612f3e575b5015612f05575050565b612f3a6040519283927fa1dd70cf00000000000000000000000000000000000000000000000000000000845260048401612c35565b0390fd5b90506020811015612eb0577f2d000000000000000000000000000000000000000000000000000000000000007fff0000000000000000000000000000000000000000000000000000000000000086831a60f81b16149081612fa1575b505f612efb565b905060018101809111610f8c5782612fb991866135fc565b5f612f9a565b50838110612ef6565b5060028610612d39565b506001841180613034575b8015612d2d57507f30000000000000000000000000000000000000000000000000000000000000007fff00000000000000000000000000000000000000000000000000000000000000865f1a60f81b161415612d2d565b50600f841115612fdd565b9190801580156131e7575b6131b1576130588184612c7a565b9260015f5b8381106130a2575061306d575050565b612f3a6040519283927f7f19f48d00000000000000000000000000000000000000000000000000000000845260048401612c35565b906020821015612eb05785821a60f81b906130bc82613773565b80156131a2575b156130d557505060015f915b0161305d565b159081613122575b50156130ec57600180916130cf565b50612f3a6040519283927f7f19f48d00000000000000000000000000000000000000000000000000000000845260048401612c35565b7fff000000000000000000000000000000000000000000000000000000000000009150167f2d000000000000000000000000000000000000000000000000000000000000008114908115613178575b505f6130dd565b7f2e000000000000000000000000000000000000000000000000000000000000009150145f613171565b506131ac826137eb565b6130c3565b82612f3a6040519283927f7f19f48d00000000000000000000000000000000000000000000000000000000845260048401612c35565b50601f811161304a565b906040519073ffffffffffffffffffffffffffffffffffffffff602083019346855230604085015216606083015260808201526080815261323360a0826123a0565b51902090565b94909362ffffff7f82c70be554e65104452a838de75b0c41757d6f7c06f5ed061f7cbc1ac458ed46979473ffffffffffffffffffffffffffffffffffffffff63ffffffff958167ffffffffffffffff996040519b60208d019d8e5260408d01521660608b01521660808901521660a087015260c08601521660e0840152166101008201526101008152613233610120826123a0565b919091805f52600260205260405f20835f5260205260405f209260ff60018501541691600183036132fe57505050565b7f0e7cdf5c000000000000000000000000000000000000000000000000000000005f5260045260245260445260645ffd5b919073ffffffffffffffffffffffffffffffffffffffff808454169116908114928315908161338c575b506133615750565b7fec37f146000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b82159150811561339e575b505f613359565b73ffffffffffffffffffffffffffffffffffffffff915060010154168114155f613397565b73ffffffffffffffffffffffffffffffffffffffff161561344f5762ffffff1662278d00811161341d5750156133f557565b7f5e0abbe9000000000000000000000000000000000000000000000000000000005f5260045ffd5b7fe17d5f7c000000000000000000000000000000000000000000000000000000005f5260045262278d0060245260445ffd5b7fbcdcbd88000000000000000000000000000000000000000000000000000000005f5260045ffd5b63ffffffff60018192015460b81c169116818103613493575050565b7f577b3430000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b9064ffffffffff811664ffffffffff8316115f146134dd575090565b905090565b929190833b61355957906134f692916139dd565b50600481101561352c5715918261350c57505090565b73ffffffffffffffffffffffffffffffffffffffff919250811691161490565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52602160045260245ffd5b60647fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0601f855f9660209896604051967f1626ba7e0000000000000000000000000000000000000000000000000000000088526004880152604060248801528160448801528587013786848287010152011601915afa7f1626ba7e000000000000000000000000000000000000000000000000000000005f5114601f3d11161690565b91600191805b828110613616575061361393613a11565b90565b926020841015612eb0578385811a60f81b7fff0000000000000000000000000000000000000000000000000000000000000081167f2e00000000000000000000000000000000000000000000000000000000000000810361369f57505061367d9286613a11565b156136985760018201808311610f8c57600180935b01613602565b5050505f90565b9091506136ab82613773565b908115613717575b81156136ed575b50156136cb57505060015f93613692565b6136d7909491946137eb565b156136e457600190613692565b50505050505f90565b7f2d000000000000000000000000000000000000000000000000000000000000009150145f6136ba565b90507f410000000000000000000000000000000000000000000000000000000000000081101580613749575b906136b3565b507f5a00000000000000000000000000000000000000000000000000000000000000811115613743565b7fff00000000000000000000000000000000000000000000000000000000000000167f610000000000000000000000000000000000000000000000000000000000000081101590816137c3575090565b7f7a000000000000000000000000000000000000000000000000000000000000009150111590565b7fff00000000000000000000000000000000000000000000000000000000000000167f3000000000000000000000000000000000000000000000000000000000000000811015908161383b575090565b7f39000000000000000000000000000000000000000000000000000000000000009150111590565b60ff811690601f8211613892576040519161387f6040846123a0565b6020808452838101919036833783525290565b7fb3512b0c000000000000000000000000000000000000000000000000000000005f5260045ffd5b73ffffffffffffffffffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000163014806139b4575b15613922577f000000000000000000000000000000000000000000000000000000000000000090565b60405160208101907f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f82527f000000000000000000000000000000000000000000000000000000000000000060408201527f000000000000000000000000000000000000000000000000000000000000000060608201524660808201523060a082015260a0815261323360c0826123a0565b507f000000000000000000000000000000000000000000000000000000000000000046146138f9565b9060418303613a0757613a009250602081013591604082359201355f1a90613aba565b9192909190565b50505f9160029190565b92909260018401808511610f8c578314928315613a31575b505050905090565b8491929350119283613a4a575b505050805f8080613a29565b9192509082613a5f575b5050155f8080613a3e565b9091506020811015612eb0571a60f81b7fff00000000000000000000000000000000000000000000000000000000000000167f3000000000000000000000000000000000000000000000000000000000000000145f80613a54565b91907f7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a08411613b49579160209360809260ff5f9560405194855216868401526040830152606082015282805260015afa15613b3e575f5173ffffffffffffffffffffffffffffffffffffffff811615613b3457905f905f90565b505f906001905f90565b6040513d5f823e3d90fd5b5050505f916003919056';

/** Where everything lies in storage: slots of the structs count from the start of the struct. */
export const releaseRegistryStorageLayout = {
  "variables": [
    {
      "label": "_products",
      "slot": 0,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "_heads",
      "slot": 1,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "_releases",
      "slot": 2,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "_registrations",
      "slot": 3,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "_nameFallback",
      "slot": 4,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "_versionFallback",
      "slot": 5,
      "offset": 0,
      "bytes": 32
    }
  ],
  "product": [
    {
      "label": "publisher",
      "slot": 0,
      "offset": 0,
      "bytes": 20
    },
    {
      "label": "sequence",
      "slot": 0,
      "offset": 20,
      "bytes": 6
    },
    {
      "label": "topIndex",
      "slot": 0,
      "offset": 26,
      "bytes": 4
    },
    {
      "label": "guardian",
      "slot": 1,
      "offset": 0,
      "bytes": 20
    },
    {
      "label": "delay",
      "slot": 1,
      "offset": 20,
      "bytes": 3
    },
    {
      "label": "epoch",
      "slot": 1,
      "offset": 23,
      "bytes": 4
    },
    {
      "label": "lastBlock",
      "slot": 1,
      "offset": 27,
      "bytes": 5
    },
    {
      "label": "history",
      "slot": 2,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "trustRoot",
      "slot": 3,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "pending",
      "slot": 4,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "pendingFrom",
      "slot": 5,
      "offset": 0,
      "bytes": 5
    },
    {
      "label": "vetoable",
      "slot": 5,
      "offset": 5,
      "bytes": 1
    }
  ],
  "head": [
    {
      "label": "version",
      "slot": 0,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "counter",
      "slot": 1,
      "offset": 0,
      "bytes": 4
    },
    {
      "label": "start",
      "slot": 1,
      "offset": 4,
      "bytes": 5
    },
    {
      "label": "duration",
      "slot": 1,
      "offset": 9,
      "bytes": 4
    },
    {
      "label": "firstShare",
      "slot": 1,
      "offset": 13,
      "bytes": 2
    },
    {
      "label": "halted",
      "slot": 1,
      "offset": 15,
      "bytes": 1
    },
    {
      "label": "halts",
      "slot": 1,
      "offset": 16,
      "bytes": 4
    }
  ],
  "release": [
    {
      "label": "commitment",
      "slot": 0,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "status",
      "slot": 1,
      "offset": 0,
      "bytes": 1
    },
    {
      "label": "rollbackIndex",
      "slot": 1,
      "offset": 1,
      "bytes": 4
    },
    {
      "label": "publishedAt",
      "slot": 1,
      "offset": 5,
      "bytes": 5
    },
    {
      "label": "installableFrom",
      "slot": 1,
      "offset": 10,
      "bytes": 5
    },
    {
      "label": "sequence",
      "slot": 1,
      "offset": 15,
      "bytes": 6
    }
  ]
} as const;
