// Written by contracts/scripts/build.ts with solc 0.8.37+commit.f401782d.Emscripten.clang. Do not edit: npm run build:contracts.

export const deviceAnchorAbi = [
  {
    "inputs": [],
    "stateMutability": "nonpayable",
    "type": "constructor"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "root",
        "type": "bytes32"
      }
    ],
    "name": "AlreadyAnchored",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "leaf",
        "type": "bytes32"
      }
    ],
    "name": "AlreadyRevoked",
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
    "inputs": [],
    "name": "EmptyBatch",
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
    "inputs": [],
    "name": "InvalidShortString",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "MissingLeaf",
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
        "internalType": "address",
        "name": "registry",
        "type": "address"
      }
    ],
    "name": "UnknownRegistry",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "registry",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "leaf",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "time",
        "type": "uint40"
      }
    ],
    "name": "DeviceRevoked",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "registry",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "root",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "count",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "time",
        "type": "uint40"
      }
    ],
    "name": "DevicesAnchored",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [],
    "name": "EIP712DomainChanged",
    "type": "event"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "registry",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "root",
        "type": "bytes32"
      },
      {
        "internalType": "uint32",
        "name": "count",
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
    "name": "anchorDevices",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "registry",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "root",
        "type": "bytes32"
      }
    ],
    "name": "batch",
    "outputs": [
      {
        "components": [
          {
            "internalType": "uint40",
            "name": "anchoredAt",
            "type": "uint40"
          },
          {
            "internalType": "uint32",
            "name": "count",
            "type": "uint32"
          }
        ],
        "internalType": "struct Batch",
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
        "internalType": "bytes32",
        "name": "keyDigest",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "salt",
        "type": "bytes32"
      }
    ],
    "name": "deviceLeaf",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "pure",
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
        "internalType": "address",
        "name": "registry",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "keyDigest",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "salt",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32[]",
        "name": "proof",
        "type": "bytes32[]"
      }
    ],
    "name": "isDeviceAccepted",
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
        "internalType": "address",
        "name": "registry",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "leaf",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32[]",
        "name": "proof",
        "type": "bytes32[]"
      }
    ],
    "name": "isLeafAccepted",
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
        "internalType": "address",
        "name": "registry",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "leaf",
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
    "name": "revokeDevice",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "registry",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "product",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "leaf",
        "type": "bytes32"
      }
    ],
    "name": "revokedAt",
    "outputs": [
      {
        "internalType": "uint40",
        "name": "",
        "type": "uint40"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  }
] as const;

/** Creation code. The constructor takes no arguments. */
export const deviceAnchorBytecode =
  '0x6101606040523461013d57604051610018604082610141565b6017815260208101907f4669726d70726f6f662044657669636520416e63686f72000000000000000000825260405191610053604084610141565b600183526020830191603160f81b835261006c81610178565b6101205261007984610178565b61014052519020918260e05251902080610100524660a0526040519060208201927f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f8452604083015260608201524660808201523060a082015260a081526100e260c082610141565b5190206080523060c0526040516111cc90816101e482396080518161102c015260a051816110e3015260c05181610ffd015260e0518161107b015261010051816110a101526101205181610186015261014051816101af0152f35b5f80fd5b601f909101601f19168101906001600160401b0382119082101761016457604052565b634e487b7160e01b5f52604160045260245ffd5b601f8151116101a3576020815191015160208210610194571790565b5f198260200360031b1b161790565b604460209160405192839163305a27a960e01b83528160048401528051918291826024860152018484015e5f828201840152601f01601f19168101030190fdfe60806040526004361015610011575f80fd5b5f3560e01c806309a7b09d146107de5780630f7e1020146105545780636a4f882e146104df5780637e84b9c2146104855780637ebb78041461028257806384b0196e1461015057806398b471ba146101065763b584d92e14610071575f80fd5b346101025773ffffffffffffffffffffffffffffffffffffffff610094366108da565b9290915f60206040516100a681610972565b8281520152165f525f60205260405f20905f5260205260405f20905f526020526040805f2063ffffffff8251916100dc83610972565b5481602064ffffffffff831694858152019160281c168152835192835251166020820152f35b5f80fd5b346101025760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc360112610102576020610148604435602435600435610aca565b604051908152f35b34610102575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc360112610102576102266101aa7f0000000000000000000000000000000000000000000000000000000000000000610f8f565b6101d37f0000000000000000000000000000000000000000000000000000000000000000610f8f565b6020610234604051926101e683856109d8565b5f84525f3681376040519586957f0f00000000000000000000000000000000000000000000000000000000000000875260e08588015260e087019061092f565b90858203604087015261092f565b4660608501523060808501525f60a085015283810360c08501528180845192838152019301915f5b82811061026b57505050500390f35b83518552869550938101939281019260010161025c565b346101025760a07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc360112610102576102b9610858565b6024356044359160643567ffffffffffffffff81168082036101025760843567ffffffffffffffff8111610102576102f59036906004016108ac565b93861561045d5773ffffffffffffffffffffffffffffffffffffffff811694855f525f60205260405f20875f52602052600160405f200192885f528360205264ffffffffff60405f205416610431577f2ccecaf7484dd0998ddff05e252711db945bc70184c26bbcfb1a7126fe0743789560209573ffffffffffffffffffffffffffffffffffffffff61038b8b6103e797610b55565b511690604051888101917fbb31b492c6fac5f22f40eec4a2a94a8b67cbd946974fa40e01104e9eaa5b4a7583528b60408301528c60608301528d608083015260a082015260a081526103de60c0826109d8565b51902090610d9e565b64ffffffffff421690865f52825260405f2064ffffffffff82167fffffffffffffffffffffffffffffffffffffffffffffffffffffff0000000000825416179055604051908152a4005b887f90315de1000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b7fa4e43dc7000000000000000000000000000000000000000000000000000000005f5260045ffd5b346101025773ffffffffffffffffffffffffffffffffffffffff6104a8366108da565b929091165f525f60205260405f20905f52602052600160405f2001905f52602052602064ffffffffff60405f205416604051908152f35b346101025760807ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261010257610516610858565b60643567ffffffffffffffff81116101025760209161053c61054a92369060040161087b565b916044359060243590610a19565b6040519015158152f35b346101025760e07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101025761058b610858565b6024356044359160643563ffffffff811690818103610102576084359263ffffffff84168094036101025760a43567ffffffffffffffff81168082036101025760c43567ffffffffffffffff8111610102576105eb9036906004016108ac565b929091891580156107d6575b6107ae5773ffffffffffffffffffffffffffffffffffffffff851697885f525f60205260405f208a5f5260205260405f208b5f5260205260405f209564ffffffffff875416610782578a61064a91610b55565b63ffffffff60a0820151168083036107535750928b8a8c60409a98957f89e313cccf1573fc882adca2f10cb01ac3a983d75d2be297900f2ec38bfeb19f9c9a989573ffffffffffffffffffffffffffffffffffffffff610700995116948d519360208501957f1ca24f5c812e718f619971da3ae3559abbd122bc83576bfa93c2a1b25efc5e4987528f860152606085015260808401528b60a084015260c083015260e082015260e081526103de610100826109d8565b80547fffffffffffffffffffffffffffffffffffffffffffffff000000000000000000164264ffffffffff1690811760289390931b68ffffffff00000000001692909217905582519182526020820152a4005b827f577b3430000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b8b7f30d23813000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b7fc2e5347d000000000000000000000000000000000000000000000000000000005f5260045ffd5b5086156105f7565b346101025760a07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261010257610815610858565b602435906084359067ffffffffffffffff82116101025760209261084061054a93369060040161087b565b92909161085260643560443583610aca565b91610a19565b6004359073ffffffffffffffffffffffffffffffffffffffff8216820361010257565b9181601f840112156101025782359167ffffffffffffffff8311610102576020808501948460051b01011161010257565b9181601f840112156101025782359167ffffffffffffffff8311610102576020838186019501011161010257565b7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc60609101126101025760043573ffffffffffffffffffffffffffffffffffffffff8116810361010257906024359060443590565b907fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0601f602080948051918291828752018686015e5f8582860101520116010190565b6040810190811067ffffffffffffffff82111761098e57604052565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52604160045260245ffd5b610180810190811067ffffffffffffffff82111761098e57604052565b90601f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0910116810190811067ffffffffffffffff82111761098e57604052565b73ffffffffffffffffffffffffffffffffffffffff90939293165f525f60205260405f20905f5260205260405f209180925f935b85851015610a8b578460051b840135908181105f14610a7a575f52602052600160405f205b940193610a4d565b905f52602052600160405f20610a72565b9250925092505f528060205264ffffffffff60405f20541615159182610ab057505090565b600192505f520160205264ffffffffff60405f2054161590565b9160405191602083019384526040830152606082015260608152610aef6080826109d8565b5190206040516020810191825260208152610b0b6040826109d8565b51902090565b519073ffffffffffffffffffffffffffffffffffffffff8216820361010257565b519063ffffffff8216820361010257565b519064ffffffffff8216820361010257565b9073ffffffffffffffffffffffffffffffffffffffff92915f610160604051610b7d816109bb565b8281528260208201528260408201528260608201528260808201528260a08201528260c08201528260e08201528261010082015282610120820152826101408201520152803b15610d7057610180906024604051809681937fb224149c000000000000000000000000000000000000000000000000000000008352866004840152165afa928315610d65575f93610c5b575b5073ffffffffffffffffffffffffffffffffffffffff83511615610c305750565b7f951e5918000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b909250610180813d8211610d5d575b81610c7861018093836109d8565b810103126101025760405190610c8d826109bb565b610c9681610b11565b8252602081015165ffffffffffff81168103610102576020830152610cbd60408201610b32565b6040830152610cce60608201610b11565b606083015260808101519062ffffff8216820361010257610160916080840152610cfa60a08201610b32565b60a0840152610d0b60c08201610b43565b60c084015260e081015160e0840152610100810151610100840152610120810151610120840152610d3f6101408201610b43565b6101408401520151801515810361010257610160820152915f610c0f565b3d9150610c6a565b6040513d5f823e3d90fd5b83907f1b762940000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b93929167ffffffffffffffff16804211610e465750906042610dfc9392610dc3610fe6565b90604051917f19010000000000000000000000000000000000000000000000000000000000008352600283015260228201522084610e75565b15610e045750565b73ffffffffffffffffffffffffffffffffffffffff907f3a74ffa9000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b7f91cc37bc000000000000000000000000000000000000000000000000000000005f526004524260245260445ffd5b929190833b610eec5790610e899291611109565b506004811015610ebf57159182610e9f57505090565b73ffffffffffffffffffffffffffffffffffffffff919250811691161490565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52602160045260245ffd5b60647fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0601f855f9660209896604051967f1626ba7e0000000000000000000000000000000000000000000000000000000088526004880152604060248801528160448801528587013786848287010152011601915afa7f1626ba7e000000000000000000000000000000000000000000000000000000005f5114601f3d11161690565b60ff811690601f8211610fbe5760405191610fab6040846109d8565b6020808452838101919036833783525290565b7fb3512b0c000000000000000000000000000000000000000000000000000000005f5260045ffd5b73ffffffffffffffffffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000163014806110e0575b1561104e577f000000000000000000000000000000000000000000000000000000000000000090565b60405160208101907f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f82527f000000000000000000000000000000000000000000000000000000000000000060408201527f000000000000000000000000000000000000000000000000000000000000000060608201524660808201523060a082015260a08152610b0b60c0826109d8565b507f00000000000000000000000000000000000000000000000000000000000000004614611025565b90604183036111335761112c9250602081013591604082359201355f1a9061113d565b9192909190565b50505f9160029190565b91907f7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a084116111c1579160209360809260ff5f9560405194855216868401526040830152606082015282805260015afa15610d65575f5173ffffffffffffffffffffffffffffffffffffffff8116156111b757905f905f90565b505f906001905f90565b5050505f916003919056';

/** Where the deployment proxy puts it with salt 0, on every chain. */
export const deviceAnchorAddress = '0x2b24280bc84923104484980591fcb7b6ded497be';

/** Where everything lies in storage: slots of the structs count from the start of the struct. */
export const deviceAnchorStorageLayout = {
  "variables": [
    {
      "label": "_devices",
      "slot": 0,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "_nameFallback",
      "slot": 1,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "_versionFallback",
      "slot": 2,
      "offset": 0,
      "bytes": 32
    }
  ],
  "devices": [
    {
      "label": "batches",
      "slot": 0,
      "offset": 0,
      "bytes": 32
    },
    {
      "label": "revokedAt",
      "slot": 1,
      "offset": 0,
      "bytes": 32
    }
  ],
  "batch": [
    {
      "label": "anchoredAt",
      "slot": 0,
      "offset": 0,
      "bytes": 5
    },
    {
      "label": "count",
      "slot": 0,
      "offset": 5,
      "bytes": 4
    }
  ]
} as const;
